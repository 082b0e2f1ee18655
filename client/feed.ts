import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { lastText } from '../contract/api/tool-output.ts'

/** Text that the model is writing, before its `text.written` is here. `from` is above 0 if its beginning was missed. */
export type LiveText = { attempt: number; from: number; text: string }

/** The newest output of a command that is still running. `end`: how many characters it has printed, as far as they were shown. */
export type LiveOutput = { attempt: number; callId: string; end: number; text: string }

/** Enough for a screen; the whole output comes with the end of the call. */
const KEPT_CHARS = 4_000

/** The part of a task's events that this client knows: a stretch without a hole. */
export type Feed = {
  events: readonly TaskEvent[]
  /** The `seq` of the last event; where the feed begins if it has none. */
  lastSeq: number
  live: readonly LiveText[]
  /** Of the command that runs; null while none printed anything. */
  output: LiveOutput | null
}

export const EMPTY_FEED: Feed = { events: [], lastSeq: 0, live: [], output: null }

/**
 * Appends the events that continue the list, and drops every other one. An empty feed continues too: {@link beginAt} sets its beginning.
 * @returns the very same feed if no event continues it
 */
export function appendEvents(feed: Feed, events: readonly TaskEvent[]): Feed {
  const fresh: TaskEvent[] = []
  let { lastSeq, live, output } = feed
  for (const event of events) {
    if (event.seq !== lastSeq + 1) continue
    fresh.push(event)
    lastSeq = event.seq
    live = liveAfter(live, event)
    output = outputAfter(output, event)
  }
  return fresh.length === 0 ? feed : { events: [...feed.events, ...fresh], lastSeq, live, output }
}

/** An empty feed whose first event will be `after + 1`: the newest page of a long task. */
export function beginAt(after: number): Feed {
  return { ...EMPTY_FEED, lastSeq: after }
}

/** Puts an earlier page in front, if the two touch. */
export function prependEvents(feed: Feed, earlier: readonly TaskEvent[]): Feed {
  const first = feed.events[0]?.seq ?? feed.lastSeq + 1
  const before = earlier.filter(({ seq }) => seq < first)
  const touches = before.at(-1)?.seq === first - 1
  return touches ? { ...feed, events: [...before, ...feed.events] } : feed
}

/** Joins a delta to the text that it continues. Deltas may be lost: one that jumps ahead starts over, without the missing part. */
export function takeDelta(feed: Feed, delta: Delta): Feed {
  if (delta.callId !== undefined) return { ...feed, output: addOutput(feed.output, delta) }
  const { attempt, offset, text } = delta
  const ofAttempt = feed.live.filter((live) => live.attempt >= attempt)
  if (ofAttempt.some((live) => live.attempt > attempt)) return feed
  const current = ofAttempt.at(-1)
  if (!current) return { ...feed, live: [{ attempt, from: offset, text }] }
  const end = current.from + current.text.length
  const rest = ofAttempt.slice(0, -1)
  // The next text may begin before the event of the last one is here: both stay, in order.
  if (offset === 0 && end > 0) return { ...feed, live: [...ofAttempt, { attempt, from: 0, text }] }
  if (offset > end) return { ...feed, live: [...rest, { attempt, from: offset, text }] }
  const added = text.slice(end - offset)
  return added === '' ? feed : { ...feed, live: [...rest, { ...current, text: current.text + added }] }
}

/** Joins a piece to the output that it continues. Pieces may be lost on the way: one that does not follow starts over. */
export function addOutput(before: LiveOutput | null, { attempt, callId = '', offset, text }: Delta): LiveOutput {
  const follows = before?.attempt === attempt && before.callId === callId && before.end === offset
  return { attempt, callId, end: offset + text.length, text: lastText(follows ? before.text + text : text, KEPT_CHARS) }
}

/** @returns the last lines, without empty ones at the end; a line that a cut began is left out if others follow */
export function lastLines({ text, end }: LiveOutput, most: number): string[] {
  const lines = text.trimEnd().split('\n')
  const whole = end > text.length && lines.length > 1 ? lines.slice(1) : lines
  return whole.slice(-most)
}

/** @returns the text that is being written, or null; an ellipsis stands for a missing beginning */
export function liveTextOf(feed: Feed): string | null {
  return feed.live.length === 0 ? null : feed.live.map(({ from, text }) => (from > 0 ? `…${text}` : text)).join('\n\n')
}

function outputAfter(output: LiveOutput | null, { type, data }: TaskEvent): LiveOutput | null {
  if (type === 'attempt.started' || type === 'attempt.ended' || type === 'task.ended') return null
  return type === 'tool.ended' && data.callId === output?.callId ? null : output
}

function liveAfter(live: readonly LiveText[], event: TaskEvent): readonly LiveText[] {
  if (live.length === 0) return live
  if (event.type === 'attempt.started' || event.type === 'attempt.ended' || event.type === 'task.ended') return []
  if (event.type !== 'text.written') return live
  const written = event.data.text
  const last = live.findLastIndex(({ text }) => written.includes(text.trim()))
  return live.slice(Math.max(last, 0) + 1)
}
