import type { Delta, TaskEvent } from '../../contract/api/event.ts'

/**
 * `offline`: no connection. `asked`: a watch is under way. `replaying`: it was answered, and stored events are still to come.
 * `live`: everything up to `head` is here.
 */
type Phase = 'offline' | 'asked' | 'replaying' | 'live'

export type FollowState = {
  taskId: string
  phase: Phase
  /** Every event up to this one was given out. */
  last: number
  /** The highest `seq` that the server is known to have. */
  head: number
  /** Events that came before their turn. */
  held: ReadonlyMap<number, TaskEvent>
  /** The turn whose `task.ended` was given out last, with nothing of a later one behind it; 0 while none was. */
  ended: number
  /** Ids of messages that wait: when a turn ends, the oldest begins the next. */
  waiting: ReadonlySet<string>
}

export type Input =
  | { type: 'connected' }
  | { type: 'disconnected' }
  | { type: 'watched'; lastSeq: number }
  | { type: 'event'; event: TaskEvent }
  | { type: 'delta'; delta: Delta }
  /** Nothing came for a while. */
  | { type: 'quiet' }

export type Output = { type: 'watch'; after: number } | { type: 'event'; event: TaskEvent } | { type: 'delta'; delta: Delta }

type Stepped = { state: FollowState; outputs: Output[] }

const MAX_HELD = 2_000

export function startFollowing(taskId: string): FollowState {
  return {
    taskId,
    phase: 'offline',
    last: 0,
    head: 0,
    held: new Map(),
    ended: 0,
    waiting: new Set(),
  }
}

/**
 * Puts a feed in order that may be cut, repeated and mixed with other tasks: each event is given out once, in order of `seq`,
 * without a hole. What is missing is asked for again, from the last event that was given out.
 */
export function step(state: FollowState, input: Input): Stepped {
  switch (input.type) {
    case 'connected':
      return watch(state)
    case 'disconnected':
      return { state: { ...state, phase: 'offline' }, outputs: [] }
    case 'watched':
      if (state.phase === 'offline') return { state, outputs: [] }
      return settle({ ...state, phase: 'replaying', head: Math.max(state.head, input.lastSeq) }, [])
    case 'event':
      return take(state, input.event)
    case 'delta':
      return { state, outputs: input.delta.taskId === state.taskId ? [{ type: 'delta', delta: input.delta }] : [] }
    case 'quiet':
      return state.phase === 'offline' ? { state, outputs: [] } : watch(state)
  }
}

/**
 * Whether the task ended, and nothing newer is known.
 * @param turn the newest that the task is known to have: one before it is not the end
 * @param throughTurns whether the turns that waiting messages begin count too
 */
export function isOver({ ended, waiting, phase, last, head }: FollowState, turn = 1, throughTurns = false): boolean {
  return ended >= turn && phase === 'live' && last >= head && !(throughTurns && waiting.size > 0)
}

function watch(state: FollowState): Stepped {
  return {
    state: { ...state, phase: 'asked' },
    outputs: [{ type: 'watch', after: state.last }],
  }
}

function take(state: FollowState, event: TaskEvent): Stepped {
  if (event.taskId !== state.taskId || event.seq <= state.last) return { state, outputs: [] }
  const held = state.held.size < MAX_HELD || event.seq === state.last + 1 ? new Map(state.held).set(event.seq, event) : state.held
  return settle({ ...state, held, head: Math.max(state.head, event.seq) }, [])
}

/** Gives out what is due. A hole in a feed that should be complete is asked for. */
function settle(state: FollowState, outputs: Output[]): Stepped {
  const held = new Map(state.held)
  const waiting = new Set(state.waiting)
  let { last, ended } = state
  for (let next = held.get(last + 1); next; next = held.get(last + 1)) {
    outputs.push({ type: 'event', event: next })
    held.delete(next.seq)
    last = next.seq
    if (next.type === 'message.received' && next.data.mode) waiting.add(next.data.messageId)
    if (next.type === 'message.delivered' || next.type === 'message.withdrawn') waiting.delete(next.data.messageId)
    ended = next.type === 'task.ended' ? next.data.turn : 0
  }
  const settled = { ...state, held, last, ended, waiting }
  if (state.phase === 'replaying' && last >= state.head) return { state: { ...settled, phase: 'live' }, outputs }
  if (state.phase === 'live' && last < state.head)
    return { state: { ...settled, phase: 'asked' }, outputs: [...outputs, { type: 'watch', after: last }] }
  return { state: settled, outputs }
}
