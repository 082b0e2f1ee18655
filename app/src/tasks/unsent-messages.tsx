import { Link } from 'wouter'
import type { Task } from '../../../contract/api/api.ts'
import type { Unsent } from '../client/outbox.ts'
import { firstLine } from '../show.ts'
import { words } from '../words.ts'

/** A line for each task that a message has not reached: there is what can be done about it. */
export function UnsentMessages({ items, tasks }: { items: readonly Unsent[]; tasks: readonly Task[] }) {
  const unsent = items.flatMap((item) => (item.kind === 'message' ? [item.taskId] : []))
  return [...new Set(unsent)].map((taskId) => {
    const prompt = tasks.find(({ id }) => id === taskId)?.prompt
    return (
      <li key={taskId}>
        <Link href={`/task/${taskId}`} className="task-row" data-row>
          <span className="task-row-title">{words.tasks.messagesNotSent(unsent.filter((id) => id === taskId).length)}</span>
          {prompt !== undefined && (
            <span className="task-row-facts small soft" dir="auto">
              {firstLine(prompt)}
            </span>
          )}
        </Link>
      </li>
    )
  })
}
