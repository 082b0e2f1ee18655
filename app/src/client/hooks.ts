import { queryOptions, useQuery } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { ConnectionStatus } from '../../../client/connection.ts'
import type { Unsent } from '../../../client/outbox.ts'
import { type Saved, taskAfter } from '../../../client/task-summary.ts'
import type { Me, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { Client } from './client.ts'
import { putTask, taskInLists } from './queries.ts'
import type { State } from './state.ts'
import { savedWhenOffline } from './storage/saved-answers.ts'

export const ClientContext = createContext<Client | null>(null)

export function useClient(): Client {
  const client = useContext(ClientContext)
  if (!client) throw new Error('a screen is shown outside of the app')
  return client
}

export function useStateOf<T>(state: State<T>): T {
  return useSyncExternalStore(state.subscribe, state.get)
}

export function useConnectionState(): ConnectionStatus {
  return useStateOf(useClient().connection.state)
}

/** The age of data that is not live: when it was saved, or when the connection broke. */
export function useAsOf(shown: { asOf?: string } | undefined): string | undefined {
  const downSince = useStateOf(useClient().connection.downSince)
  return shown && (shown.asOf ?? downSince ?? undefined)
}

/** A query. Without a network, it gives the saved answer and its time. */
export function useSaved<T extends object>(
  key: string,
  ask: () => Promise<T>,
  options: { enabled?: boolean; refetchInterval?: number } = {},
) {
  const { storage } = useClient()
  return useSteady(
    useQuery({ queryKey: [key], queryFn: savedWhenOffline(storage, key, ask), meta: { savedAs: key }, ...options }),
  )
}

/** What this rule needs of a query's result. */
type Asked = { error: unknown; isError: boolean; isPending: boolean; isSuccess: boolean; errorUpdateCount: number }

/**
 * A query that has failed forgets its error while it asks again. This keeps the error on screen until there is an answer: otherwise the
 * sentence flickers, and the button under it goes away just when a person taps it.
 */
export function useSteady<R extends Asked>(asked: R): R {
  const last = useRef<unknown>(null)
  if (asked.isError) last.current = asked.error
  // A query that never failed is another one: its key has changed.
  else if (asked.isSuccess || asked.errorUpdateCount === 0) last.current = null
  return last.current === null || !asked.isPending ? asked : { ...asked, error: last.current, isError: true, isPending: false }
}

/** The signed-in user and what the server offers; without a network, as saved. */
export function useMe() {
  return useSteady(useQuery(meQuery(useClient())))
}

export function meQuery({ askMe, storage }: Pick<Client, 'askMe' | 'storage'>) {
  return queryOptions({
    queryKey: ['me'],
    queryFn: savedWhenOffline<Me>(storage, 'me', askMe),
    meta: { savedAs: 'me' },
    staleTime: 60_000,
  })
}

/** A task's summary, kept up to date by the socket; without a network, as saved. */
export function useTask(taskId: string) {
  const { api, storage, queries } = useClient()
  const asked = useQuery({
    queryKey: ['task', taskId],
    queryFn: savedWhenOffline<Task>(storage, `task:${taskId}`, () => api.findTask(taskId)),
    // The list's copy is enough to start with, and is refreshed.
    initialData: () => taskInLists(queries, taskId),
    initialDataUpdatedAt: 0,
  })
  return useSteady(asked)
}

/** The summary, or what newer events say about it. Updates the lists and the saved copy too. */
export function useNewestTask(task: Saved<Task>, events: readonly TaskEvent[]): Saved<Task> {
  const { queries } = useClient()
  const newest = useMemo(() => taskAfter(task, events), [task, events])
  useEffect(() => {
    if (newest !== task) putTask(queries, newest)
  }, [newest, task, queries])
  return newest
}

/** The messages of one task, or the new tasks, that were sent and do not show in a feed or a list yet. */
export function useUnsent(taskId: string | null): readonly Unsent[] {
  const items = useStateOf(useClient().outbox.state)
  return useMemo(() => items.filter((item) => (item.kind === 'message' ? item.taskId : null) === taskId), [items, taskId])
}

/** Text that survives closing the app. `place` is `new`, `new:<field>` or `task:<id>`. */
export function useDraft(place: string): [string, (text: string) => void] {
  const { drafts } = useClient()
  const [text, setText] = useState(() => drafts.read(place))
  const at = useRef(place)
  if (at.current !== place) {
    at.current = place
    setText(drafts.read(place))
  }
  useEffect(
    () =>
      drafts.replaced.subscribe(() => {
        if (drafts.replaced.get()?.place === place) setText(drafts.read(place))
      }),
    [drafts, place],
  )
  const write = useCallback(
    (next: string) => {
      drafts.write(place, next)
      setText(next)
    },
    [drafts, place],
  )
  return [text, write]
}

/** Tells the server that the user is looking at this task while the component is mounted. */
export function useLookAt(taskId: string | null): void {
  const { connection } = useClient()
  useEffect(() => {
    const report = () => connection.look(document.visibilityState === 'visible' && document.hasFocus(), taskId)
    const moments = ['focus', 'blur', 'pageshow', 'pagehide']
    report()
    for (const moment of moments) window.addEventListener(moment, report)
    document.addEventListener('visibilitychange', report)
    return () => {
      for (const moment of moments) window.removeEventListener(moment, report)
      document.removeEventListener('visibilitychange', report)
      connection.look(document.visibilityState === 'visible' && document.hasFocus(), null)
    }
  }, [connection, taskId])
}
