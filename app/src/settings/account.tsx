import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useClient, useMe, useStateOf } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { words } from '../words.ts'
import { Section } from './section.tsx'
import { forgetUser } from './sign-out.ts'

/** Who is signed in here, and the way out. */
export const Account = () => {
  const client = useClient()
  const { data: me } = useMe()
  const [asking, setAsking] = useState(false)
  const unsent = useStateOf(client.outbox.state).filter(({ state }) => state !== 'sent').length
  const signOut = useMutation({ mutationFn: () => forgetUser(client) })
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
      <p>
        <Button onClick={() => setAsking(true)}>{words.settings.signOut}</Button>
      </p>
      {asking && (
        <Confirm
          title={words.settings.signOutTitle}
          text={unsent > 0 ? words.settings.unsentWarning(unsent) : words.settings.signOutText}
          action={words.settings.signOut}
          busy={signOut.isPending}
          error={signOut.error}
          onConfirm={() => signOut.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  )
}
