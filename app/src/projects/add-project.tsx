import { useState } from 'react'
import { useClient } from '../client/hooks.ts'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { FormSheet } from '../design/dialogs/form-sheet.tsx'
import { words } from '../text/words.ts'

export function AddProject({ host, onClose }: { host: string; onClose: () => void }) {
  const { api, queries } = useClient()
  const [repoUrl, setRepoUrl] = useState('')
  const [name, setName] = useState('')
  const save = async () => {
    await api.createProject({ repoUrl: repoUrl.trim(), ...(name.trim() && { name: name.trim() }) })
    await queries.invalidateQueries({ queryKey: ['projects'] })
    onClose()
  }
  return (
    <FormSheet title={words.projects.add} isReady={repoUrl.trim() !== ''} save={save} onClose={onClose}>
      <Field label={words.projects.address} hint={words.create.repositoryHint(host)}>
        {(given) => (
          <input {...given} {...AS_TYPED} type="url" value={repoUrl} onChange={(event) => setRepoUrl(event.target.value)} />
        )}
      </Field>
      <Field label={words.projects.name} hint={words.projects.nameHint}>
        {(given) => (
          <input {...given} dir="auto" maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
    </FormSheet>
  )
}
