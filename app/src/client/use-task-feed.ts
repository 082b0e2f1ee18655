import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { LOADING, type TaskFeed } from '../../../client/feed-state.ts'
import { useClient } from './hooks.ts'
import { type OpenFeed, openTaskFeed } from './task-feed.ts'

/** The live list of a task's events while the component is mounted. `loadEarlier` and `retry` are stable. Only the task screen loads this file. */
export function useTaskFeed(taskId: string): TaskFeed & Pick<OpenFeed, 'loadEarlier' | 'retry'> {
  const client = useClient()
  const [feed, setFeed] = useState<OpenFeed | null>(null)
  useEffect(() => {
    client.keepTask(taskId)
    const opened = openTaskFeed(taskId, { ...client, onMessage: client.outbox.forget })
    setFeed(opened)
    return opened.close
  }, [client, taskId])
  const state = useSyncExternalStore(
    useCallback((listener) => feed?.state.subscribe(listener) ?? (() => {}), [feed]),
    () => feed?.state.get() ?? LOADING,
  )
  return useMemo(
    () => ({ ...state, loadEarlier: feed?.loadEarlier ?? (async () => {}), retry: feed?.retry ?? (() => {}) }),
    [state, feed],
  )
}
