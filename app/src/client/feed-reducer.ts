import type { Delta, TaskEvent } from '../../../contract/api/event.ts'

/** Text that the model is writing and that no `text.written` holds yet. `from` is above 0 when its beginning was missed. */
export type LiveText = { attempt: number; from: number; text: string }

/** What this device knows of a task's list of events: a stretch of it without a hole. */
export type Feed = {
  events: readonly TaskEvent[]
  /** The last `seq` that is known here; 0 before the first. */
  lastSeq: number
  live: readonly LiveText[]
}

export const EMPTY_FEED: Feed = { events: [], lastSeq: 0, live: [] }

/**
 * Appends what continues the list, and drops what is there already. The first event of an empty feed that begins at `lastSeq` must
 * be the next one too: where a feed begins is set by {@link beginAt}.
 * @returns `hole` when an event is further on than the next: ask again for everything after `lastSeq`
 */
export function takeEvents(feed: Feed, events: readonly TaskEvent[]): { feed: Feed; hole: boolean } {
  const fresh: TaskEvent[] = []
  let { lastSeq, live } = feed
  let hole = false
  for (const event of events) {
    if (event.seq > lastSeq + 1) hole = true
    if (event.seq !== lastSeq + 1) continue
    fresh.push(event)
    lastSeq = event.seq
    live = liveAfter(live, event)
  }
  if (fresh.length === 0) return { feed, hole }
  return { feed: { events: [...feed.events, ...fresh], lastSeq, live }, hole: hole && !reaches(lastSeq, events) }
}

/** An empty feed whose first event will be `after + 1`: the newest page of a long task. */
export function beginAt(after: number): Feed {
  return { ...EMPTY_FEED, lastSeq: after }
}

/** Puts an earlier page before what is known, as far as it touches it. */
export function prependEvents(feed: Feed, earlier: readonly TaskEvent[]): Feed {
  const first = feed.events[0]?.seq ?? feed.lastSeq + 1
  const before = earlier.filter(({ seq }) => seq < first)
  const touches = before.at(-1)?.seq === first - 1
  return touches ? { ...feed, events: [...before, ...feed.events] } : feed
}

/** Joins a delta to the text that it continues. One that jumps ahead (they may be dropped) begins anew, without what was missed. */
export function takeDelta(feed: Feed, { attempt, offset, text }: Delta): Feed {
  const ofAttempt = feed.live.filter((live) => live.attempt >= attempt)
  if (ofAttempt.some((live) => live.attempt > attempt)) return feed
  const current = ofAttempt.at(-1)
  if (!current) return { ...feed, live: [{ attempt, from: offset, text }] }
  const end = current.from + current.text.length
  const rest = ofAttempt.slice(0, -1)
  // The next text begins before the event with the whole of the last one is here: both stay, in order.
  if (offset === 0 && end > 0) return { ...feed, live: [...ofAttempt, { attempt, from: 0, text }] }
  if (offset > end) return { ...feed, live: [...rest, { attempt, from: offset, text }] }
  const news = text.slice(end - offset)
  return news === '' ? feed : { ...feed, live: [...rest, { ...current, text: current.text + news }] }
}

/** @returns the text being written, or null; what was missed of it stands as an ellipsis */
export function liveTextOf(feed: Feed): string | null {
  return feed.live.length === 0 ? null : feed.live.map(({ from, text }) => (from > 0 ? `…${text}` : text)).join('\n\n')
}

function liveAfter(live: readonly LiveText[], event: TaskEvent): readonly LiveText[] {
  if (live.length === 0) return live
  if (event.type === 'attempt.started' || event.type === 'attempt.ended' || event.type === 'task.ended') return []
  if (event.type !== 'text.written') return live
  const written = event.data.text
  const last = live.findLastIndex(({ text }) => written.includes(text.trim()))
  return live.slice(Math.max(last, 0) + 1)
}

/** Whether what came later in the same batch closed the hole. */
function reaches(lastSeq: number, events: readonly TaskEvent[]): boolean {
  return events.every(({ seq }) => seq <= lastSeq)
}
