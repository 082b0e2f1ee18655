import { isUnderWay } from '../../../../client/task-summary.ts'
import type { Task } from '../../../../contract/api/api.ts'
import { addressOf } from '../../../../contract/api/routes.ts'
import { Button } from '../../design/controls/button.tsx'
import { Fault, Note } from '../../design/feedback/states.tsx'
import { TASK_WORDS } from '../text/words.ts'
import type { useChanges } from './use-changes.ts'

const WORDS = TASK_WORDS.changes

type Props = { task: Task; changes: Pick<ReturnType<typeof useChanges>, 'isStale' | 'isFetching' | 'error' | 'data' | 'refetch'> }

/** Notes about the shown changes: newer ones exist, the agent is still working, or the push was refused. */
export function ChangeNotes({ task, changes: { isStale, isFetching, error, data, refetch } }: Props) {
  return (
    <>
      {isStale && (
        <Note mood="wait">
          <div className="spread">
            <p role="status">{WORDS.stale}</p>
            <Button busy={isFetching} onClick={() => void refetch()}>
              {WORDS.showNewer}
            </Button>
          </div>
        </Note>
      )}
      {data && error && <Fault error={error} />}
      {isUnderWay(task.status) && <Note>{WORDS.updating}</Note>}
      {task.reason === 'push_refused' && (
        <Note mood="bad">
          <p>{WORDS.notPushed}</p>
          <a className="button plain" href={addressOf('downloadBundle', [task.id])} download>
            {TASK_WORDS.actions.bundle}
          </a>
        </Note>
      )}
    </>
  )
}
