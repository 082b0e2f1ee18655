import type { TaskEvent } from '../contract/api/event.ts'
import type { Stepped } from './machine.ts'

/**
 * `offline`: no connection. `asked`: a `task:watch` was sent, or is about to be sent again. `replaying`: the watch was answered, and stored
 * events are still missing. `live`: everything up to `head` is here.
 */
type Phase = 'offline' | 'asked' | 'replaying' | 'live'

export type Follow = {
  taskId: string
  phase: Phase
  /** Every event up to this one was given out. */
  last: number
  /** The highest known `seq` of the server. */
  head: number
  /** Events that arrived early. */
  early: ReadonlyMap<number, TaskEvent>
}

export type FollowInput =
  | { type: 'connected' }
  | { type: 'disconnected' }
  /** The answer to a `task:watch`. */
  | { type: 'watched'; lastSeq: number }
  | { type: 'event'; event: TaskEvent }
  /** A page of stored events that a call over HTTP brought. */
  | { type: 'stored'; events: readonly TaskEvent[]; lastSeq: number }
  /** Nothing came for a while. */
  | { type: 'quiet' }

export type FollowEffect = { type: 'watch'; after: number } | { type: 'event'; event: TaskEvent }

/** Bounds what a client keeps if a server never fills a gap. */
const MAX_EARLY = 2_000

/** @param last where to begin: the first event that is given out is the next one */
export function startFollowing(taskId: string, last = 0): Follow {
  return { taskId, phase: 'offline', last, head: last, early: new Map() }
}

/**
 * Puts the events of one task in order, even if they arrive in pieces, repeated, or mixed with those of other tasks: each is given out
 * once, in order of `seq`, without a gap. A client joins first, asks for everything after the last event it gave out, and drops what it
 * has. If a gap appears where nothing should be missing, it asks again.
 */
export function stepFollow(state: Follow, input: FollowInput): Stepped<Follow, FollowEffect> {
  switch (input.type) {
    case 'connected':
      return watch(state)
    case 'disconnected':
      return { state: { ...state, phase: 'offline' }, effects: [] }
    case 'quiet':
      return state.phase === 'offline' ? { state, effects: [] } : watch(state)
    case 'watched': {
      const known = knowing(state, input.lastSeq)
      return state.phase === 'offline' ? { state: known, effects: [] } : settle({ ...known, phase: 'replaying' })
    }
    case 'event':
      return takeEvents(state, [input.event])
    case 'stored':
      return takeEvents(knowing(state, input.lastSeq), input.events)
  }
}

/** The server has the event with this `seq`. */
export function knowing(state: Follow, seq: number): Follow {
  return seq <= state.head ? state : { ...state, head: seq }
}

function watch(state: Follow): Stepped<Follow, FollowEffect> {
  return { state: { ...state, phase: 'asked' }, effects: [{ type: 'watch', after: state.last }] }
}

function takeEvents(state: Follow, events: readonly TaskEvent[]): Stepped<Follow, FollowEffect> {
  const fresh = events.filter(({ taskId, seq }) => taskId === state.taskId && seq > state.last)
  if (fresh.length === 0) return settle(state)
  const early = new Map(state.early)
  for (const event of fresh) if (early.size < MAX_EARLY || event.seq === state.last + 1) early.set(event.seq, event)
  return settle({ ...state, early, head: Math.max(state.head, ...fresh.map(({ seq }) => seq)) })
}

/** Gives out the next events. If there is a gap where the list should be complete, it asks again. */
function settle(state: Follow): Stepped<Follow, FollowEffect> {
  const early = new Map(state.early)
  const effects: FollowEffect[] = []
  let { last } = state
  for (let next = early.get(last + 1); next; next = early.get(last + 1)) {
    effects.push({ type: 'event', event: next })
    early.delete(next.seq)
    last = next.seq
  }
  const settled = { ...state, early, last }
  if (state.phase === 'replaying' && last >= state.head) return { state: { ...settled, phase: 'live' }, effects }
  if (state.phase !== 'live' || last >= state.head) return { state: settled, effects }
  const asked = watch(settled)
  return { state: asked.state, effects: [...effects, ...asked.effects] }
}
