import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useClient } from '../client/hooks.ts'
import { Button } from '../design/button.tsx'
import { Field } from '../design/field.tsx'
import { Sheet } from '../design/sheet.tsx'
import { messageOf } from '../design/states.tsx'
import { words } from '../words.ts'

export const AddProject = ({ host, onClose }: { host: string; onClose: () => void }) => {
  const { api, queries } = useClient()
  const [repoUrl, setRepoUrl] = useState('')
  const [name, setName] = useState('')
  const add = useMutation({
    mutationFn: () => api.createProject({ repoUrl: repoUrl.trim(), ...(name.trim() && { name: name.trim() }) }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['projects'] })
      onClose()
    },
  })
  return (
    <Sheet title={words.projects.add} onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <Field
          label={words.projects.address}
          hint={words.create.repositoryHint(host)}
          error={add.isError ? messageOf(add.error) : null}
        >
          {(given) => (
            <input
              {...given}
              type="url"
              autoCapitalize="off"
              autoCorrect="off"
              spellCheck={false}
              value={repoUrl}
              onChange={(event) => setRepoUrl(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.projects.name} hint={words.projects.nameHint}>
          {(given) => <input {...given} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Button look="main" type="submit" busy={add.isPending} disabled={repoUrl.trim() === ''}>
          {words.common.save}
        </Button>
      </form>
    </Sheet>
  )
}
