import { Link, useLocation } from 'wouter'
import type { Unsent } from '../../../client/outbox.ts'
import type { Task } from '../../../contract/api/api.ts'
import { useClient } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { putBack } from '../new-task/new-draft.ts'
import { firstLine, repoName } from '../text/show.ts'
import { words } from '../text/words.ts'

/** What the server does not have yet: unsent tasks, with the actions for each, and messages that did not get through. */
export function UnsentList({ items, tasks }: { items: readonly Unsent[]; tasks: readonly Task[] }) {
  const shown = items.filter(({ kind, state }) => kind === 'task' || state === 'failed' || state === 'waiting')
  return shown.length === 0 ? null : (
    <section className="task-group" aria-label={words.tasks.unsent}>
      <h2>{words.tasks.unsent}</h2>
      <ul className="task-list">
        {shown.map((item) => (
          <UnsentTask key={item.clientId} item={item} />
        ))}
        <UnsentMessages items={shown} tasks={tasks} />
      </ul>
    </section>
  )
}

function UnsentTask({ item }: { item: Unsent }) {
  const { outbox, drafts } = useClient()
  const [, navigate] = useLocation()
  if (item.kind !== 'task') return null
  const { prompt, repoUrl } = item.body
  const edit = () => {
    putBack(drafts, item.body)
    outbox.forget(item.clientId)
    navigate('/new')
  }
  return (
    <li className="task-row">
      <span className="task-row-title" dir="auto">
        {firstLine(prompt)}
      </span>
      <span className="task-row-facts small soft">
        {item.state === 'sending' && <span>{words.tasks.sending}</span>}
        {item.state === 'failed' && <span>{words.tasks.notSent}</span>}
        <span>{repoName(repoUrl)}</span>
      </span>
      {item.error && <span className="task-row-why small">{item.error}</span>}
      {item.state !== 'sending' && (
        <span className="row">
          {item.state === 'failed' && (
            <>
              <Button look="main" icon="retry" onClick={() => outbox.retry(item.clientId)}>
                {words.common.retry}
              </Button>
              <Button onClick={edit}>{words.common.edit}</Button>
            </>
          )}
          <Button look="danger" onClick={() => outbox.forget(item.clientId)}>
            {words.common.remove}
          </Button>
        </span>
      )}
    </li>
  )
}

/** One line for each task with unsent messages. It leads to the task, where the user can act on them. */
function UnsentMessages({ items, tasks }: { items: readonly Unsent[]; tasks: readonly Task[] }) {
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
