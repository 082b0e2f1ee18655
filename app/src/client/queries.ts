import { QueryClient, replaceEqualDeep } from '@tanstack/react-query'
import { codeOf, isAway, isPassing } from '../../../client/api/api-error.ts'
import { newerPages, newerTask, type Pages, type Saved } from '../../../client/task-summary.ts'
import type { Task } from '../../../contract/api/api.ts'
import { firstOf, type Keeper } from './storage/saved-answers.ts'

const ASK_AGAIN_MS = 5_000

/** The cache of queries. A task's summary never goes back: an answer that was in flight may be older than what the socket has brought. */
export function createQueries(isLive: () => boolean): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        // The socket reports changes, and a phone without a network gets the saved answer at once.
        staleTime: 10_000,
        networkMode: 'always',
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // A single call may get lost although the connection works. When the connection comes back, everything is refreshed.
        refetchInterval: ({ state }) => isLive() && lacksAnswer(state) && ASK_AGAIN_MS,
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

function lacksAnswer({ error, data }: { error: unknown; data: unknown }): boolean {
  return isAway(error) || firstOf(data)?.asOf !== undefined
}

/** After a gap, everything may have changed. Changes on screen stay, and the screen offers newer ones. */
export function askAnew(queries: QueryClient): void {
  void queries.invalidateQueries({ predicate: ({ queryKey, state }) => queryKey[0] !== 'changes' || state.data === undefined })
}

/** Reports every answer to save, whatever its source: of queries with `meta.savedAs`, and of every task. */
export function watchAnswers(queries: QueryClient, hear: Keeper['hear']): void {
  void queries.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'success') return
    const { queryKey, meta, state } = event.query
    const place = queryKey[0] === 'task' ? `task:${queryKey[1]}` : meta?.savedAs
    const answer = firstOf(state.data)
    if (typeof place === 'string' && answer !== undefined) hear(place, answer, event.action.manual !== true)
  })
}

/** Updates the task in every list that has it. A list without it may lack it, and is refreshed. */
export function putTask(queries: QueryClient, task: Task): void {
  queries.setQueryData(['task', task.id], task)
  for (const [key, data] of queries.getQueriesData<Pages>({ queryKey: ['tasks'] })) {
    const has = data?.pages.some(({ items }) => items.some(({ id }) => id === task.id))
    if (data && has) queries.setQueryData(key, replaceIn(data, task))
    else void queries.invalidateQueries({ queryKey: key, exact: true })
  }
}

/** @returns the lists' copy of a task, which may be slightly old */
export function taskInLists(queries: QueryClient, taskId: string): Saved<Task> | undefined {
  return queries
    .getQueriesData<Pages>({ queryKey: ['tasks'] })
    .flatMap(([, data]) => data?.pages ?? [])
    .flatMap(({ items, asOf }) => items.map((task) => (asOf === undefined ? task : { ...task, asOf })))
    .find(({ id }) => id === taskId)
}

function replaceIn(data: Pages, task: Task): Pages {
  return {
    ...data,
    pages: data.pages.map((page) => ({ ...page, items: page.items.map((one) => (one.id === task.id ? task : one)) })),
  }
}
