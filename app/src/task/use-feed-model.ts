import { useRef } from 'react'
import type { TaskEvent } from '../../../contract/event.ts'
import { addEvents, EMPTY_FEED, type Feed } from './feed-model.ts'

/** The events as a feed. Only what is new is added, unless earlier events were put before: then it is made anew. */
export const useFeedModel = (events: readonly TaskEvent[]): Feed => {
  const made = useRef<{ first: TaskEvent | undefined; count: number; feed: Feed }>({
    first: undefined,
    count: 0,
    feed: EMPTY_FEED,
  })
  const { first, count, feed } = made.current
  const goesOn = first === events[0] && events.length >= count
  if (!goesOn || events.length !== count)
    made.current = {
      first: events[0],
      count: events.length,
      feed: goesOn ? addEvents(feed, events.slice(count)) : addEvents(EMPTY_FEED, events),
    }
  return made.current.feed
}
