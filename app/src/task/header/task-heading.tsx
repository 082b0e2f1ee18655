import type { Task } from '../../../../contract/api/api.ts'
import { StatusBadge } from '../../design/feedback/badges.tsx'
import { firstLine, repoName } from '../../text/show.ts'
import { TASK_WORDS } from '../text/words.ts'

/** The first line of the prompt. */
export function titleOf({ prompt }: Pick<Task, 'prompt'>): string {
  return firstLine(prompt) || TASK_WORDS.header.untitled
}

export function TaskHeading({ task }: { task: Task }) {
  return (
    <span className="task-heading">
      <span className="task-title" dir="auto">
        {titleOf(task)}
      </span>
      <span className="task-sub">
        <StatusBadge status={task.status} />
        <span className="task-repo soft">{repoName(task.repoUrl)}</span>
      </span>
    </span>
  )
}

/** The one line that a screen reader announces: the task's status, whenever it changes. */
export function Announcer({ status }: Pick<Task, 'status'>) {
  return (
    <p className="hidden-for-eyes" role="status">
      {TASK_WORDS.status.announce[status]}
    </p>
  )
}
