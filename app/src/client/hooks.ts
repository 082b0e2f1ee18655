import { queryOptions, useMutation, useQuery } from '@tanstack/react-query'
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { ConnectionStatus } from '../../../client/connection.ts'
import type { Unsent } from '../../../client/outbox.ts'
import { type Saved, taskAfter } from '../../../client/task-summary.ts'
import type { Me, RetryTask, Task } from '../../../contract/api/api.ts'
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

/** When what is shown was true, for what does not come from the server now: as it was saved, or as it stood when the line went down. */
export function useAsOf(shown: { asOf?: string } | undefined): string | undefined {
  const downSince = useStateOf(useClient().connection.downSince)
  return shown && (shown.asOf ?? downSince ?? undefined)
}

/** What the server was asked for; without a network as it was saved, with the time of that. */
export function useSaved<T extends object>(
  key: string,
  ask: () => Promise<T>,
  options: { enabled?: boolean; refetchInterval?: number } = {},
) {
  const { storage } = useClient()
  return useQuery({ queryKey: [key], queryFn: savedWhenOffline(storage, key, ask), meta: { savedAs: key }, ...options })
}

/** Who is signed in and what the server offers; without a network as it was saved. */
export function useMe() {
  return useQuery(meQuery(useClient()))
}

export function meQuery({ askMe, storage }: Pick<Client, 'askMe' | 'storage'>) {
  return queryOptions({
    queryKey: ['me'],
    queryFn: savedWhenOffline<Me>(storage, 'me', askMe),
    meta: { savedAs: 'me' },
    staleTime: 60_000,
  })
}

/** A task's summary, kept fresh by the socket; without a network as it was saved. */
export function useTask(taskId: string) {
  const { api, storage, queries } = useClient()
  return useQuery({
    queryKey: ['task', taskId],
    queryFn: savedWhenOffline<Task>(storage, `task:${taskId}`, () => api.findTask(taskId)),
    // What the list says is enough to begin with, and asked for anew.
    initialData: () => taskInLists(queries, taskId),
    initialDataUpdatedAt: 0,
  })
}

/** The summary, or what the events tell of it when they are newer; the lists and what is saved learn of it too. */
export function useNewestTask(task: Saved<Task>, events: readonly TaskEvent[]): Saved<Task> {
  const { queries } = useClient()
  const newest = useMemo(() => taskAfter(task, events), [task, events])
  useEffect(() => {
    if (newest !== task) putTask(queries, newest)
  }, [newest, task, queries])
  return newest
}

/** What was sent and is not in a feed or a list yet; of one task, or the new tasks. */
export function useUnsent(taskId: string | null): readonly Unsent[] {
  const items = useStateOf(useClient().outbox.state)
  return useMemo(() => items.filter((item) => (item.kind === 'message' ? item.taskId : null) === taskId), [items, taskId])
}

/** Text that survives a closed app. `place` is `new`, `new:<field>` or `task:<id>`. */
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

/** Stops a task; the lists and the task learn of it. */
export function useCancelTask(taskId: string) {
  const { api, queries } = useClient()
  return useMutation({
    mutationFn: () => api.cancelTask(taskId),
    onSuccess: (task) => queries.setQueryData(['task', taskId], task),
  })
}

/** The last turn of an ended task again. */
export function useRetryTask(taskId: string) {
  const { api, queries } = useClient()
  return useMutation({
    mutationFn: (retry: RetryTask) => api.retryTask(taskId, retry),
    onSuccess: (task) => queries.setQueryData(['task', taskId], task),
  })
}

/** Tells the server that a person looks at this task, for as long as the component is there. */
export function useLookAt(taskId: string | null): void {
  const { connection } = useClient()
  useEffect(() => {
    const say = () => connection.look(document.visibilityState === 'visible' && document.hasFocus(), taskId)
    const moments = ['focus', 'blur', 'pageshow', 'pagehide']
    say()
    for (const moment of moments) window.addEventListener(moment, say)
    document.addEventListener('visibilitychange', say)
    return () => {
      for (const moment of moments) window.removeEventListener(moment, say)
      document.removeEventListener('visibilitychange', say)
      connection.look(document.visibilityState === 'visible' && document.hasFocus(), null)
    }
  }, [connection, taskId])
}
