import { useDeferredValue } from 'react'
import type { Task } from '../../../contract/api/api.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { useAsOf, useClient, useStateOf } from '../client/hooks.ts'
import { Button } from '../design/controls/button.tsx'
import { AsOf, EmptyState, ErrorState, Fault, Skeleton } from '../design/feedback/states.tsx'
import { Screen } from '../design/screen/screen.tsx'
import { words } from '../text/words.ts'
import { type Filters, NO_FILTERS, TaskFilters } from './task-filters.tsx'
import { TaskRow } from './task-row.tsx'
import './tasks.css'
import { UnsentList } from './unsent.tsx'
import { useFilters } from './use-filters.ts'
import { type ListFilter, useTasks } from './use-tasks.ts'
import { AccessHint, Welcome } from './welcome.tsx'

/** All tasks of the user, grouped by status. */
export function TasksScreen() {
  const [filters, change] = useFilters()
  const search = useDeferredValue(filters.search.trim())
  const list = useTasks(filterOf({ ...filters, search }))
  const unsent = useStateOf(useClient().outbox.state)
  const tasks = list.data?.pages.flatMap(({ items }) => items) ?? []
  const asOf = useAsOf(list.data?.pages[0])
  const isFiltered = filters.status !== '' || filters.repoUrl !== '' || search !== ''
  const isFirstVisit = list.isSuccess && tasks.length === 0 && !isFiltered && unsent.length === 0 && !asOf
  return (
    <Screen title={words.tasks.title}>
      {!isFirstVisit && <TaskFilters filters={filters} tasks={tasks} onChange={change} />}
      <AsOf time={asOf} />
      <AccessHint hidden={isFirstVisit} />
      <UnsentList items={unsent} tasks={tasks} />
      {list.isPending && <Skeleton rows={5} lines={[80, 50]} />}
      {list.isError && tasks.length === 0 && <ErrorState error={list.error} onRetry={() => list.refetch()} />}
      {isFirstVisit && <Welcome />}
      {list.isSuccess && tasks.length === 0 && isFiltered && (
        <EmptyState title={words.tasks.nothingFound} text={words.tasks.nothingFoundText}>
          <Button onClick={() => change(NO_FILTERS)}>{words.tasks.clear}</Button>
        </EmptyState>
      )}
      {groupTasks(tasks).map((group) => (
        <Group key={group.status} group={group} />
      ))}
      {list.hasNextPage && (
        <div className="more">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {words.tasks.more}
          </Button>
          {list.isFetchNextPageError && <Fault error={list.error} />}
        </div>
      )}
    </Screen>
  )
}

function Group({ group }: { group: TaskGroup }) {
  return (
    <section className="task-group" aria-labelledby={`group-${group.status}`}>
      <h2 id={`group-${group.status}`}>
        {words.status[group.status]} <span className="numbers">{group.tasks.length}</span>
      </h2>
      <ul className="task-list">
        {group.tasks.map((task) => (
          <TaskRow key={task.id} task={task} />
        ))}
      </ul>
    </section>
  )
}

function filterOf({ status, search, repoUrl }: Filters): ListFilter {
  return {
    ...(status !== '' && { status }),
    ...(search !== '' && { search }),
    ...(repoUrl !== '' && { repoUrl }),
  }
}

type TaskGroup = { status: TaskStatus; tasks: Task[] }

/** Active tasks first, then finished ones; newest first in each group. */
const ORDER: readonly TaskStatus[] = ['running', 'pending', 'failed', 'completed', 'cancelled']

/** @returns the groups that have a task */
function groupTasks(tasks: readonly Task[]): TaskGroup[] {
  return ORDER.map((status) => ({ status, tasks: tasks.filter((task) => task.status === status) })).filter(
    ({ tasks }) => tasks.length > 0,
  )
}
