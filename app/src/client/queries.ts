import { QueryClient, replaceEqualDeep } from '@tanstack/react-query'
import type { Task } from '../../../contract/api.ts'
import { codeOf, isPassing } from './api-error.ts'
import { newerPages, newerTask, type Pages } from './newer-task.ts'

/** What the server was asked for. A task's summary never goes back: an answer that was under way meanwhile is older than what the socket said. */
export const createQueries = (): QueryClient => {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // The socket says what changed; and a phone without a network shall get its answer (what was saved) at once.
        staleTime: 10_000,
        networkMode: 'always',
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: (count, error) => count < 1 && isPassing(error) && codeOf(error) !== 'unreachable',
      },
      mutations: { networkMode: 'always' },
    },
  })
  queries.setQueryDefaults(['task'], {
    structuralSharing: (old, next) => replaceEqualDeep(old, newerTask(old as Task | undefined, next as Task)),
  })
  queries.setQueryDefaults(['tasks'], {
    structuralSharing: (old, next) => replaceEqualDeep(old, newerPages(old as Pages | undefined, next as Pages)),
  })
  return queries
}

/** After a gap everything may have changed. Changes that are being read stay: their screen offers newer ones. */
export const askAnew = (queries: QueryClient): void =>
  void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'changes' })

/** Into every list that has it; a list that has not may lack it, and is asked for anew. */
export const putTask = (queries: QueryClient, task: Task): void => {
  queries.setQueryData(['task', task.id], task)
  for (const [key, data] of queries.getQueriesData<Pages>({ queryKey: ['tasks'] })) {
    const has = data?.pages.some(({ items }) => items.some(({ id }) => id === task.id))
    if (data && has) queries.setQueryData(key, replaceIn(data, task))
    else void queries.invalidateQueries({ queryKey: key, exact: true })
  }
}

/** @returns a task as the lists have it, which may be a little old */
export const taskInLists = (queries: QueryClient, taskId: string): Task | undefined =>
  queries
    .getQueriesData<Pages>({ queryKey: ['tasks'] })
    .flatMap(([, data]) => data?.pages.flatMap(({ items }) => items) ?? [])
    .find(({ id }) => id === taskId)

const replaceIn = (data: Pages, task: Task): Pages => ({
  ...data,
  pages: data.pages.map((page) => ({ ...page, items: page.items.map((one) => (one.id === task.id ? task : one)) })),
})
