import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useClient } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Field } from '../design/field.tsx'
import { Sheet } from '../design/sheet.tsx'
import { messageOf } from '../design/states.tsx'
import { words } from '../words.ts'
import { Secret } from './secret.tsx'

/** Makes a token and shows it, this once. */
export const NewToken = ({ onClose }: { onClose: () => void }) => {
  const { api, queries } = useClient()
  const [name, setName] = useState('')
  const make = useMutation({
    mutationFn: () => api.createToken(name.trim()),
    onSuccess: () => Promise.all(['devices', 'tokens'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <Sheet title={words.settings.newToken} onClose={onClose}>
      {make.data ? (
        <>
          <p className="soft">{words.settings.tokenMade}</p>
          <Secret text={make.data.token} />
        </>
      ) : (
        <form
          className="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            make.mutate()
          }}
        >
          <Field label={words.settings.tokenName} error={make.isError ? messageOf(make.error) : null}>
            {(given) => <input {...given} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Button look="main" type="submit" busy={make.isPending} disabled={name.trim() === ''}>
            {words.settings.newToken}
          </Button>
        </form>
      )}
    </Sheet>
  )
}
