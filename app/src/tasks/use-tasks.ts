import { useInfiniteQuery } from '@tanstack/react-query'
import type { TaskPage } from '../../../contract/api.ts'
import type { TaskStatus } from '../../../contract/status.ts'
import { codeOf } from '../client/api-error.ts'
import { useClient } from '../client/hooks.ts'

export type ListFilter = { status?: TaskStatus; search?: string; repoUrl?: string }
/** `asOf`: when it was saved, for a page that does not come from the server now. */
export type ListPage = TaskPage & { asOf?: string }

const SAVED = 'saved:tasks'

/** A user's tasks, newest first, page by page. Without a network: the last unfiltered page, as it was saved. */
export const useTasks = (filter: ListFilter) => {
  const { api, storage } = useClient()
  const isWhole = Object.keys(filter).length === 0
  return useInfiniteQuery({
    queryKey: ['tasks', filter],
    initialPageParam: '',
    queryFn: async ({ pageParam }): Promise<ListPage> => {
      try {
        const page = await api.tasks({ ...filter, ...(pageParam !== '' && { cursor: pageParam }), limit: 50 })
        if (isWhole && pageParam === '') void storage.write(SAVED, { ...page, asOf: new Date().toISOString() })
        return page
      } catch (error) {
        const isAway = codeOf(error) === 'unreachable' || codeOf(error) === 'unavailable'
        const saved = isAway && pageParam === '' ? await storage.read<ListPage>(SAVED) : null
        if (!saved) throw error
        return { ...saved, items: saved.items.filter(fits(filter)), nextCursor: null }
      }
    },
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (previous) => previous,
  })
}

const fits =
  ({ status, search, repoUrl }: ListFilter) =>
  (task: TaskPage['items'][number]): boolean =>
    (status === undefined || task.status === status) &&
    (repoUrl === undefined || task.repoUrl === repoUrl) &&
    (search === undefined || `${task.prompt} ${task.repoUrl}`.toLowerCase().includes(search.toLowerCase()))
