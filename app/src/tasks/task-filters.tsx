import type { Task } from '../../../contract/api/api.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { Icon } from '../design/icons/icon.tsx'
import { useRepositories } from '../new-task/use-repositories.ts'
import { repoName } from '../text/show.ts'
import { words } from '../text/words.ts'

export type Filters = { status: TaskStatus | ''; search: string; repoUrl: string }
export const NO_FILTERS: Filters = { status: '', search: '', repoUrl: '' }

export const STATUSES: readonly TaskStatus[] = ['running', 'pending', 'completed', 'failed', 'cancelled']

/** The search and the filters of the list. */
export function TaskFilters({
  filters,
  tasks,
  onChange,
}: {
  filters: Filters
  tasks: readonly Task[]
  onChange: (filters: Filters) => void
}) {
  const known = useRepositories(tasks)
  return (
    <search className="task-search">
      <div className="search-box">
        <Icon name="search" />
        <input
          type="search"
          aria-label={words.tasks.search}
          placeholder={words.tasks.search}
          value={filters.search}
          onChange={(event) => onChange({ ...filters, search: event.target.value })}
        />
      </div>
      <div className="task-filters">
        <select
          aria-label={words.tasks.status}
          value={filters.status}
          onChange={(event) => onChange({ ...filters, status: event.target.value as Filters['status'] })}
        >
          <option value="">{words.tasks.anyStatus}</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {words.status[status]}
            </option>
          ))}
        </select>
        <select
          aria-label={words.tasks.repository}
          value={filters.repoUrl}
          onChange={(event) => onChange({ ...filters, repoUrl: event.target.value })}
        >
          <option value="">{words.tasks.anyRepository}</option>
          {known.map(({ repoUrl }) => (
            <option key={repoUrl} value={repoUrl}>
              {repoName(repoUrl)}
            </option>
          ))}
        </select>
      </div>
    </search>
  )
}
