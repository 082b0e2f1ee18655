import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query'
import { newerTask, type Saved } from '../../../client/task-summary.ts'
import type { Task, TaskPage } from '../../../contract/api/api.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import type { Client } from '../client/client.ts'
import { useClient, useSteady } from '../client/hooks.ts'
import { savedWhenOffline } from '../client/storage/saved-answers.ts'

export type ListFilter = { status?: TaskStatus; search?: string; repoUrl?: string }

/** A user's tasks, newest first, page by page. Without a network, the saved first page. */
export function useTasks(filter: ListFilter) {
  return useSteady(useInfiniteQuery({ ...tasksQuery(useClient(), filter), placeholderData: (previous) => previous }))
}

export function tasksQuery({ api, storage }: Pick<Client, 'api' | 'storage'>, filter: ListFilter) {
  const isWhole = Object.keys(filter).length === 0
  return infiniteQueryOptions({
    queryKey: ['tasks', filter],
    initialPageParam: '',
    ...(isWhole && { meta: { savedAs: 'tasks' } }),
    queryFn: async ({ pageParam: cursor }): Promise<Saved<TaskPage>> => {
      const ask = () => api.listTasks({ ...filter, ...(cursor !== '' && { cursor }), limit: 50 })
      if (cursor !== '') return ask()
      const page = await savedWhenOffline(storage, 'tasks', ask)()
      if (page.asOf === undefined) return page
      const items = withNewer(page.items, await storage.list<Task>('saved:task:'))
      return { ...page, items: items.filter(fits(filter)), nextCursor: null }
    },
    getNextPageParam: (page) => page.nextCursor,
  })
}

/** A task that was opened without the list is saved on its own. */
function withNewer(listed: readonly Task[], alone: readonly Task[]): Task[] {
  const known = new Map(listed.map((task) => [task.id, task]))
  for (const task of alone) known.set(task.id, newerTask(known.get(task.id), task))
  return [...known.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
}

function fits({ status, search, repoUrl }: ListFilter) {
  return (task: Task): boolean =>
    (status === undefined || task.status === status) &&
    (repoUrl === undefined || task.repoUrl === repoUrl) &&
    (search === undefined || `${task.prompt} ${task.repoUrl}`.toLowerCase().includes(search.toLowerCase()))
}
