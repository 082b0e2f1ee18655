import { useState } from 'react'
import { useClient } from '../client/hooks.ts'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { FormSheet } from '../design/dialogs/form-sheet.tsx'
import { words } from '../text/words.ts'

type Props = { host: string; isNew: boolean; onClose: () => void }

/** A token for a git host. It goes to the server and is never shown again. */
export function CredentialForm({ host: given, isNew, onClose }: Props) {
  const { api, queries } = useClient()
  const [host, setHost] = useState(given)
  const [username, setUsername] = useState('')
  const [token, setToken] = useState('')
  const save = async () => {
    await api.putCredential({
      host: host.trim().toLowerCase(),
      token: token.trim(),
      ...(username.trim() && { username: username.trim() }),
    })
    await queries.invalidateQueries({ queryKey: ['credentials'] })
    onClose()
  }
  const title = isNew ? words.settings.addHost : words.settings.replaceToken
  return (
    <FormSheet title={title} isReady={token.trim() !== '' && host.trim() !== ''} save={save} onClose={onClose}>
      <Field label={words.settings.host}>
        {(attributes) => (
          <input {...attributes} {...AS_TYPED} value={host} readOnly={!isNew} onChange={(event) => setHost(event.target.value)} />
        )}
      </Field>
      <Field label={words.settings.username} hint={words.settings.usernameHint}>
        {(attributes) => (
          <input {...attributes} {...AS_TYPED} value={username} onChange={(event) => setUsername(event.target.value)} />
        )}
      </Field>
      <Field label={words.settings.token} hint={words.settings.tokenHint}>
        {(attributes) => (
          <input {...attributes} {...AS_TYPED} type="password" value={token} onChange={(event) => setToken(event.target.value)} />
        )}
      </Field>
    </FormSheet>
  )
}
