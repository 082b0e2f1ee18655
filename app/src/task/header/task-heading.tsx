import type { Task } from '../../../../contract/api/api.ts'
import { StatusBadge } from '../../design/feedback/status-badge.tsx'
import { TASK_WORDS } from '../words.ts'

/** The first line of what was asked for. */
export function titleOf({ prompt }: Pick<Task, 'prompt'>): string {
  return prompt.trim().split('\n', 1)[0]?.slice(0, 200) || TASK_WORDS.header.untitled
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

/** `https://host/owner/name.git` is `owner/name` to a reader. */
export function repoName(repoUrl: string): string {
  return repoUrl
    .replace(/^https?:\/\/[^/]+\//, '')
    .replace(/\.git$/, '')
    .replace(/^demo\/git\//, '')
}
