import type { Task } from '../../../../contract/api/api.ts'
import { TASK_WORDS } from '../words.ts'

/** The one line that a screen reader speaks by itself: where the task stands, when that changes. */
export function Announcer({ status }: Pick<Task, 'status'>) {
  return (
    <p className="hidden-for-eyes" role="status">
      {TASK_WORDS.status.announce[status]}
    </p>
  )
}
