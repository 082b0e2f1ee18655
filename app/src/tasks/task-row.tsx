import { Link } from 'wouter'
import type { Task } from '../../../contract/api/api.ts'
import type { DiffStat } from '../../../contract/api/event.ts'
import { StatusBadge } from '../design/feedback/badges.tsx'
import { Sentence } from '../design/feedback/states.tsx'
import { age, firstLine, repoName, timeOf } from '../text/show.ts'
import { words } from '../text/words.ts'

/** One task in the list: its prompt, its repository and its status. */
export function TaskRow({ task }: { task: Task }) {
  return (
    <li>
      <Link href={`/task/${task.id}`} className="task-row" data-row>
        <span className="task-row-head small soft">
          <span className="task-row-repo">{repoName(task.repoUrl)}</span>
          <time className="numbers" dateTime={task.createdAt}>
            {age(task.completedAt ?? task.createdAt)}
          </time>
        </span>
        <span className="task-row-title" dir="auto">
          {firstLine(task.prompt)}
        </span>
        <span className="task-row-facts small soft">
          <StatusBadge status={task.status} />
          {task.status === 'pending' && task.queuePosition !== null && <span>{words.tasks.ahead(task.queuePosition)}</span>}
          {task.reason === 'model_waiting' && task.waitingUntil && (
            <span>{words.tasks.modelUntil(timeOf(task.waitingUntil))}</span>
          )}
          {task.diff && task.diff.files > 0 && <DiffCount diff={task.diff} />}
        </span>
        {task.status === 'failed' && task.reasonText && (
          <span className="task-row-why small">
            <Sentence text={task.reasonText} />
          </span>
        )}
      </Link>
    </li>
  )
}

function DiffCount({ diff }: { diff: DiffStat }) {
  return (
    <span className="numbers task-row-diff">
      {words.tasks.files(diff.files)} <span className="added">+{diff.insertions}</span>{' '}
      <span className="removed">−{diff.deletions}</span>
    </span>
  )
}
