import { useClient, useMe, useStateOf } from '../../client/hooks.ts'
import { Button } from '../../design/controls/button.tsx'
import { AskFirst } from '../../design/dialogs/ask-first.tsx'
import { Section } from '../../design/screen/section.tsx'
import { words } from '../../text/words.ts'
import { signOutHere } from './sign-out.ts'

/** Who is signed in here, and the button to sign out. */
export function Account() {
  const client = useClient()
  const { data: me } = useMe()
  const unsent = useStateOf(client.outbox.state).filter(({ state }) => state !== 'sent').length
  return (
    <Section id="account" title={words.settings.account}>
      <div className="who">
        <span className="avatar" aria-hidden="true">
          {[...(me?.name ?? '?')][0]?.toUpperCase()}
        </span>
        <p>
          <strong dir="auto">{me?.name}</strong> {me?.admin && <span className="soft small">{words.settings.adminRole}</span>}
        </p>
      </div>
      <AskFirst
        title={words.settings.signOutTitle}
        text={unsent > 0 ? words.settings.unsentWarning(unsent) : words.settings.signOutText}
        action={words.settings.signOut}
        act={() => signOutHere(client)}
      >
        {(ask) => (
          <p>
            <Button onClick={ask}>{words.settings.signOut}</Button>
          </p>
        )}
      </AskFirst>
    </Section>
  )
}
