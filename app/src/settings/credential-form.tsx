import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useClient } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Field } from '../design/field.tsx'
import { Sheet } from '../design/sheet.tsx'
import { messageOf, Note } from '../design/states.tsx'
import { words } from '../words.ts'

type Props = { host: string; isNew: boolean; onClose: () => void }

/** A token for a host. It goes to the server and is shown nowhere again. */
export const CredentialForm = ({ host: given, isNew, onClose }: Props) => {
  const { api, queries } = useClient()
  const [host, setHost] = useState(given)
  const [username, setUsername] = useState('')
  const [token, setToken] = useState('')
  const save = useMutation({
    mutationFn: () =>
      api.putCredential({
        host: host.trim().toLowerCase(),
        token: token.trim(),
        ...(username.trim() && { username: username.trim() }),
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['credentials'] })
      onClose()
    },
  })
  const plain = { autoCapitalize: 'off', autoCorrect: 'off', spellCheck: false }
  return (
    <Sheet title={isNew ? words.settings.addHost : words.settings.replaceToken} onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <Field label={words.settings.host}>
          {(attributes) => (
            <input {...attributes} {...plain} value={host} readOnly={!isNew} onChange={(event) => setHost(event.target.value)} />
          )}
        </Field>
        <Field label={words.settings.username} hint={words.settings.usernameHint}>
          {(attributes) => (
            <input
              {...attributes}
              {...plain}
              autoComplete="off"
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.settings.token} hint={words.settings.tokenHint}>
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autoComplete="off"
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        {save.isError && (
          <Note mood="bad">
            <p role="alert">{messageOf(save.error)}</p>
          </Note>
        )}
        <Button look="main" type="submit" busy={save.isPending} disabled={token.trim() === '' || host.trim() === ''}>
          {words.common.save}
        </Button>
      </form>
    </Sheet>
  )
}
