import { Link } from 'wouter'
import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { LinkButton } from '../design/controls/button.tsx'
import { Note } from '../design/feedback/states.tsx'
import { Icon, Mark } from '../design/icons/icon.tsx'
import { words } from '../text/words.ts'

/** The first visit: a task to try right now, and how to set up access to the user's own repositories. */
export function Welcome() {
  const { data: me } = useMe()
  const needsAccess = useNeedsAccess()
  const onDemo = (prompt: string) => `/new?${new URLSearchParams({ prompt, ...(me && { repository: me.demoRepoUrl }) })}`
  const [demoTask = '', ...more] = words.tasks.examplePrompts
  return (
    <div className="welcome">
      <section className="welcome-card">
        <Mark size={44} />
        <h2>{words.tasks.emptyTitle}</h2>
        <p className="soft">{words.tasks.emptyText}</p>
        <LinkButton look="main" icon="play" href={onDemo(demoTask)}>
          {words.tasks.tryDemo}
        </LinkButton>
        <p className="small soft">{words.tasks.emptyDemo}</p>
      </section>
      <section>
        <h2 className="welcome-heading">{words.tasks.examples}</h2>
        <ul className="task-list">
          {[demoTask, ...more].map((prompt) => (
            <li key={prompt}>
              <Link href={onDemo(prompt)} className="example" data-row>
                {prompt}
                <Icon name="right" size={18} />
              </Link>
            </li>
          ))}
        </ul>
      </section>
      {needsAccess && (
        <section className="stack">
          <p className="soft">{words.tasks.noAccess}</p>
          <p>
            <LinkButton icon="branch" href="/settings#access">
              {words.tasks.setAccess}
            </LinkButton>
          </p>
        </section>
      )}
    </div>
  )
}

/** Until a token is set, only the demo repository works, and reading public ones. */
export function AccessHint({ hidden }: { hidden: boolean }) {
  const { data: me } = useMe()
  const needsAccess = useNeedsAccess()
  if (hidden || !needsAccess || me?.demo) return null
  return (
    <Note mood="wait">
      <p>
        {words.tasks.noAccess} <Link href="/settings#access">{words.tasks.setAccess}</Link>
      </p>
    </Note>
  )
}

/** Whether the user has no git credentials; false until that is known. */
function useNeedsAccess(): boolean {
  const { api } = useClient()
  const { data } = useSaved('credentials', () => api.listCredentials())
  return data?.items.length === 0
}
