import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { LOADING, type TaskFeed } from '../../../client/feed-state.ts'
import type { Message } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { useClient } from '../client/hooks.ts'
import { type OpenFeed, openTaskFeed } from '../client/task-feed.ts'
import { addEvents } from './model/add-events.ts'
import { EMPTY_FEED, type Feed, feedAfter } from './model/feed.ts'

/** The live list of a task's events while the component is mounted. `loadEarlier` and `retry` are stable. */
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

/**
 * The events as a feed. Only new events are added; if earlier events were loaded, the feed is rebuilt.
 * @param messages messages from before the first event
 */
export function useFeedModel(events: readonly TaskEvent[], messages: readonly Message[]): Feed {
  const made = useRef<{ first: TaskEvent | undefined; messages: readonly Message[]; count: number; feed: Feed }>({
    first: undefined,
    messages,
    count: 0,
    feed: EMPTY_FEED,
  })
  const { first, count, feed } = made.current
  const goesOn = first === events[0] && messages === made.current.messages && events.length >= count
  if (!goesOn || events.length !== count)
    made.current = {
      first: events[0],
      messages,
      count: events.length,
      feed: goesOn ? addEvents(feed, events.slice(count)) : addEvents(feedAfter(messages), events),
    }
  return made.current.feed
}
