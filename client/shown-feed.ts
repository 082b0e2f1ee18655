import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { appendEvents, type Feed, prependEvents, takeDelta } from './feed.ts'
import { type FeedEffect, type FeedState, type FeedStep, type SavedFeed, show, type TaskFeed } from './feed-state.ts'
import { nothingToDo } from './machine.ts'

/** Events that a task opens with, and that one "show earlier" adds. */
export const PAGE = 300
/** The same number is saved for a start without a network. */
const KEPT = 300
/** Events that come one by one are shown together. */
const GATHER_MS = 40
/** Text as it is written is shown in steps too: often enough to be seen growing, for a third of the work. */
const WRITE_MS = 150
const KEEP_EVERY_MS = 2_000

/** Events that continue the list wait a moment, to be shown together with the next ones. */
export function gather(state: FeedState, events: readonly TaskEvent[]): FeedStep {
  const isFirst = state.gathered.length === 0 && events.length > 0
  const effects: FeedEffect[] = isFirst ? [{ type: 'wait', as: 'gather', ms: GATHER_MS }] : []
  return { state: { ...state, gathered: [...state.gathered, ...events] }, effects }
}

export function gatherText(state: FeedState, delta: Delta): FeedStep {
  const effects: FeedEffect[] = state.deltas.length === 0 ? [{ type: 'wait', as: 'write', ms: WRITE_MS }] : []
  return { state: { ...state, deltas: [...state.deltas, delta] }, effects }
}

export function showGathered(state: FeedState): FeedStep {
  const { gathered, unkept } = state
  if (gathered.length === 0) return nothingToDo(state)
  // An event that ends a text needs the whole text.
  const written = showText(state)
  const { shown } = written.state
  const next = show({ ...written.state, gathered: [], unkept: true }, appendEvents(shown, gathered))
  const keepSoon: FeedEffect[] = unkept ? [] : [{ type: 'wait', as: 'keep', ms: KEEP_EVERY_MS }]
  const heard = received(clientIdsIn(gathered))
  return { state: next, effects: [...written.effects, { type: 'stop', as: 'gather' }, ...heard, ...keepSoon] }
}

export function showText(state: FeedState): FeedStep {
  if (state.deltas.length === 0) return nothingToDo(state)
  const written = show({ ...state, deltas: [] }, state.deltas.reduce<Feed>(takeDelta, state.shown))
  return { state: written, effects: [{ type: 'stop', as: 'write' }] }
}

export function showEarlier(state: FeedState, events: readonly TaskEvent[]): FeedStep {
  const { events: all } = prependEvents(state.shown, events)
  const next = show(state, { events: all, loadingEarlier: false, hasEarlier: beginsLate(all) })
  return { state: next, effects: received(clientIdsIn(events)) }
}

export function restore(state: FeedState, saved: SavedFeed | null): FeedState {
  if (!saved || state.shown.phase !== 'loading') return state
  const { events, lastSeq } = saved
  return show(state, { events, lastSeq, phase: 'saved', hasEarlier: beginsLate(events) })
}

/** @returns what "show earlier" asks for; null if there is nothing earlier, or if an answer is on its way */
export function earlierPage({ events, lastSeq, loadingEarlier }: TaskFeed): { after: number; limit: number } | null {
  const first = events[0]?.seq ?? lastSeq + 1
  if (first <= 1 || loadingEarlier) return null
  const after = Math.max(0, first - 1 - PAGE)
  return { after, limit: first - 1 - after }
}

export function keep(state: FeedState): FeedStep {
  return { state: { ...state, unkept: false }, effects: [{ type: 'stop', as: 'keep' }, keepEffect(state)] }
}

export function keepEffect({ shown: { events, lastSeq } }: FeedState): FeedEffect {
  return { type: 'keep', saved: { events: events.slice(-KEPT), lastSeq } }
}

export function received(clientIds: readonly string[]): FeedEffect[] {
  return clientIds.length === 0 ? [] : [{ type: 'received', clientIds }]
}

function clientIdsIn(events: readonly TaskEvent[]): string[] {
  return events.flatMap(({ type, data }) => (type === 'message.received' && data.clientId ? [data.clientId] : []))
}

function beginsLate(events: readonly TaskEvent[]): boolean {
  return (events[0]?.seq ?? 1) > 1
}
