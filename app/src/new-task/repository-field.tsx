import { useClient, useMe, useSaved } from '../client/hooks.ts'
import { AS_TYPED, Field } from '../design/controls/field.tsx'
import { words } from '../text/words.ts'
import { useRepositories } from './use-repositories.ts'

/** How many repositories are one tap away; the rest are found by typing. */
const CHIPS = 6

/** The repository's URL, or one tap on a project or a recent repository. */
export function RepositoryField({
  value,
  onChange,
  error,
}: {
  value: string
  onChange: (repoUrl: string) => void
  error: string | null
}) {
  const { api } = useClient()
  const { data: me } = useMe()
  const recent = useSaved('recent', () => api.listTasks({ limit: 20 }))
  const known = useRepositories(recent.data?.items ?? [])
  return (
    <div className="stack repository">
      <Field
        label={words.create.repository}
        error={error}
        hint={words.create.repositoryHint(me?.gitHosts[0] ?? 'https://github.com')}
      >
        {(given) => (
          <>
            <input
              {...given}
              type="url"
              inputMode="url"
              {...AS_TYPED}
              list="repositories"
              value={value}
              onChange={(event) => onChange(event.target.value)}
            />
            <datalist id="repositories">
              {known.map(({ repoUrl, name }) => (
                <option key={repoUrl} value={repoUrl}>
                  {name}
                </option>
              ))}
            </datalist>
          </>
        )}
      </Field>
      {known.length > 0 && (
        <ul className="chips" aria-label={words.create.pick}>
          {known.slice(0, CHIPS).map(({ repoUrl, name }) => (
            <li key={repoUrl}>
              <button type="button" className="chip" aria-pressed={value.trim() === repoUrl} onClick={() => onChange(repoUrl)}>
                {name}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
