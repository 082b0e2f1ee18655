import { useLocation } from 'wouter'
import type { Task } from '../../../contract/api/api.ts'
import { useClient } from '../client/hooks.ts'
import type { Unsent } from '../client/outbox.ts'
import { Button } from '../design/controls/button.tsx'
import { putBack } from '../new-task/new-draft.ts'
import { firstLine, repoName } from '../show.ts'
import { words } from '../words.ts'
import { UnsentMessages } from './unsent-messages.tsx'

/** What the server does not have: tasks, with what a person can do about each, and messages that did not get through. */
export function UnsentTasks({ items, tasks }: { items: readonly Unsent[]; tasks: readonly Task[] }) {
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
