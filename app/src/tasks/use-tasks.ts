import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query'
import type { TaskPage } from '../../../contract/api.ts'
import type { TaskStatus } from '../../../contract/status.ts'
import type { Client } from '../client/client.ts'
import { useClient } from '../client/hooks.ts'
import { type Saved, savedWhenOffline } from '../client/saved.ts'

export type ListFilter = { status?: TaskStatus; search?: string; repoUrl?: string }

/** A user's tasks, newest first, page by page. Without a network: the last unfiltered page, as it was saved. */
export const useTasks = (filter: ListFilter) =>
  useInfiniteQuery({ ...tasksQuery(useClient(), filter), placeholderData: (previous) => previous })

export const tasksQuery = ({ api, storage }: Pick<Client, 'api' | 'storage'>, filter: ListFilter) => {
  const isWhole = Object.keys(filter).length === 0
  return infiniteQueryOptions({
    queryKey: ['tasks', filter],
    initialPageParam: '',
    queryFn: async ({ pageParam: cursor }): Promise<Saved<TaskPage>> => {
      const ask = () => api.tasks({ ...filter, ...(cursor !== '' && { cursor }), limit: 50 })
      if (cursor !== '') return ask()
      const page = await savedWhenOffline(storage, 'tasks', ask, isWhole)()
      return page.asOf === undefined ? page : { ...page, items: page.items.filter(fits(filter)), nextCursor: null }
    },
    getNextPageParam: (page) => page.nextCursor,
  })
}

const fits =
  ({ status, search, repoUrl }: ListFilter) =>
  (task: TaskPage['items'][number]): boolean =>
    (status === undefined || task.status === status) &&
    (repoUrl === undefined || task.repoUrl === repoUrl) &&
    (search === undefined || `${task.prompt} ${task.repoUrl}`.toLowerCase().includes(search.toLowerCase()))
