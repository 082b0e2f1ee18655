import { useRef } from 'react'
import type { Message } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { addEvents } from './model/add-events.ts'
import { EMPTY_FEED, type Feed, feedAfter } from './model/feed.ts'

/**
 * The events as a feed. Only new events are added; if earlier events were loaded, the feed is rebuilt.
 * @param said messages from before the first event
 */
export function useFeedModel(events: readonly TaskEvent[], said: readonly Message[]): Feed {
  const made = useRef<{ first: TaskEvent | undefined; said: readonly Message[]; count: number; feed: Feed }>({
    first: undefined,
    said,
    count: 0,
    feed: EMPTY_FEED,
  })
  const { first, count, feed } = made.current
  const goesOn = first === events[0] && said === made.current.said && events.length >= count
  if (!goesOn || events.length !== count)
    made.current = {
      first: events[0],
      said,
      count: events.length,
      feed: goesOn ? addEvents(feed, events.slice(count)) : addEvents(feedAfter(said), events),
    }
  return made.current.feed
}
