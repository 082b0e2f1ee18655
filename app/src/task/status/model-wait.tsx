import { isAway } from '../../../../client/api/api-error.ts'
import { MODEL_WAITS } from '../../../../contract/api/reason-texts.ts'
import { useRetryTask } from '../../client/task-calls.ts'
import { Button } from '../../design/controls/button.tsx'
import { messageOf } from '../../design/feedback/states.tsx'
import type { ModelWait } from '../model/feed-facts.ts'
import { clock } from '../text/format.ts'
import { TASK_WORDS } from '../text/words.ts'

const WORDS = TASK_WORDS.modelWait

type Props = {
  taskId: string
  wait: ModelWait
  now: number
  /** Whether a press of a button reaches the server. */
  online: boolean
}

/** The countdown of a wait for the model. A task that freed its slot meanwhile can be told to try now. */
export function ModelWaitDetails({ taskId, wait, now, online }: Props) {
  const retry = useRetryTask(taskId)
  const leftMs = wait.until - now
  const inTime = clock(leftMs + 999)
  if (leftMs <= 0) return null
  return (
    <div className="strip-quiet">
      <p className="numbers">
        {wait.reason === null ? WORDS.goesOn(inTime) : `${MODEL_WAITS[wait.reason]} ${WORDS.nextTry(inTime)}`}
      </p>
      {wait.reason === null && online && (
        <p className="row">
          <Button icon="retry" busy={retry.isPending} onClick={() => retry.mutate({})}>
            {WORDS.tryNow}
          </Button>
        </p>
      )}
      {retry.isError && (
        <p className={isAway(retry.error) ? 'soft' : 'bad'} role="alert">
          {messageOf(retry.error)}
        </p>
      )}
    </div>
  )
}
