import { useState } from 'react'
import type { Credential } from '../../../contract/api/api.ts'
import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { AskFirst } from '../design/dialogs/ask-first.tsx'
import { Loaded, Section } from '../design/screen/section.tsx'
import { words } from '../text/words.ts'
import { CredentialForm } from './credential-form.tsx'

/** The tokens with which the server works on the user's repositories. */
export function GitAccess() {
  const { api } = useClient()
  const { data: me } = useMe()
  const [editing, setEditing] = useState<string | null>(null)
  const list = useSaved('credentials', () => api.listCredentials())
  const firstHost = me?.gitHosts[0] ? new URL(me.gitHosts[0]).host : 'github.com'
  return (
    <Section id="access" title={words.settings.access} text={words.settings.accessText}>
      <Loaded asked={list}>
        {({ items }) => (
          <>
            {items.length === 0 && <p className="soft">{words.settings.accessEmpty}</p>}
            {items.length > 0 && (
              <ul className="card-lines">
                {items.map((credential) => (
                  <Host key={credential.host} credential={credential} onReplace={() => setEditing(credential.host)} />
                ))}
              </ul>
            )}
            <p>
              <Button icon="plus" look={items.length === 0 ? 'main' : 'plain'} onClick={() => setEditing('')}>
                {words.settings.addHost}
              </Button>
            </p>
            {editing !== null && (
              <CredentialForm host={editing || firstHost} isNew={editing === ''} onClose={() => setEditing(null)} />
            )}
          </>
        )}
      </Loaded>
    </Section>
  )
}

function Host({ credential: { host, username }, onReplace }: { credential: Credential; onReplace: () => void }) {
  const { api, queries } = useClient()
  const remove = async () => {
    await api.deleteCredential(host)
    await queries.invalidateQueries({ queryKey: ['credentials'] })
  }
  return (
    <li>
      <span>
        {host}{' '}
        {username && (
          <span className="soft small" dir="auto">
            {username}
          </span>
        )}
      </span>
      <span className="row">
        <Button onClick={onReplace}>{words.settings.replaceToken}</Button>
        <AskFirst
          title={words.settings.removeHost(host)}
          text={words.settings.removeHostText}
          action={words.common.remove}
          act={remove}
        >
          {(ask) => (
            <Button look="danger" onClick={ask}>
              {words.common.remove}
            </Button>
          )}
        </AskFirst>
      </span>
    </li>
  )
}
