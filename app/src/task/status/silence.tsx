import { useState } from 'react'
import { isAway } from '../../../../client/api/api-error.ts'
import { useCancelTask } from '../../client/task-calls.ts'
import { Button } from '../../design/controls/button.tsx'
import { messageOf } from '../../design/feedback/states.tsx'
import { silenceOf } from '../model/feed-facts.ts'
import { TASK_WORDS } from '../text/words.ts'

const WORDS = TASK_WORDS.status

/** Shows how long the task has been silent, and after five minutes asks what to do. It asks again after five more. */
export function Silence({ taskId, now, heardAt }: { taskId: string; now: number; heardAt: number }) {
  const [keptWaitingAt, setKeptWaitingAt] = useState(0)
  const cancel = useCancelTask(taskId)
  const { minutes, maybeStuck } = silenceOf(now, heardAt, keptWaitingAt)
  if (minutes === 0) return null
  const cancelling = cancel.isPending || cancel.isSuccess
  return (
    <div className="strip-quiet">
      <p>
        {WORDS.quiet(minutes)}
        {maybeStuck && ` ${WORDS.stuck}`}
      </p>
      {maybeStuck && (
        <p className="row">
          <Button look="danger" icon="stop" busy={cancelling} onClick={() => cancel.mutate()}>
            {cancelling ? WORDS.cancelling : WORDS.cancel}
          </Button>
          {!cancelling && (
            <Button look="quiet" onClick={() => setKeptWaitingAt(now)}>
              {WORDS.keepWaiting}
            </Button>
          )}
        </p>
      )}
      {cancel.isError && (
        <p className={isAway(cancel.error) ? 'soft' : 'bad'} role="alert">
          {messageOf(cancel.error)}
        </p>
      )}
    </div>
  )
}
