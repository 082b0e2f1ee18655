import type { Task } from '../contract/api/api.ts'
import type { Delta, TaskEvent } from '../contract/api/event.ts'
import { type Follow, type FollowInput, startFollowing, stepFollow } from './follow.ts'
import { chain, type Fired, nothingToDo, type Stepped, type Timing } from './machine.ts'

export type FollowToEnd = {
  follow: Follow
  /** The newest known turn of the task: the end of an earlier turn is not the end. */
  turn: number
  /** Whether to follow also the turns that waiting messages start. */
  throughTurns: boolean
  /** The turn of the last event that was given out, if that was `task.ended`; otherwise 0. */
  ended: number
  /** Ids of the waiting messages: when a turn ends, the oldest one starts the next turn. */
  waiting: ReadonlySet<string>
  over: boolean
}

/** Why the server refuses. `code` comes from the contract, or from a newer server. */
export type RefusalWords = { code: string; message: string }

type Timer = 'quiet' | 'watch' | 'connect'

export type ToEndInput =
  | { type: 'connected' }
  /** @property byServer the server ended the connection; Socket.IO then does not reconnect by itself */
  | { type: 'disconnected'; byServer: boolean }
  /** @property retries whether Socket.IO tries again by itself */
  | { type: 'not-connected'; refusal: RefusalWords; retries: boolean }
  | { type: 'watched'; lastSeq: number }
  | { type: 'watch-refused'; refusal: RefusalWords }
  | { type: 'unanswered' }
  | { type: 'event'; event: TaskEvent }
  | { type: 'delta'; delta: Delta }
  | { type: 'task'; task: Task }
  /** The person stops following; the task goes on. */
  | { type: 'leave' }

export type End = 'ended' | 'left' | { refusedAt: 'connection' | 'watch'; refusal: RefusalWords }

export type ToEndEffect =
  | { type: 'connect' }
  /** Cuts a silent connection. Socket.IO opens a new one. */
  | { type: 'cut' }
  | { type: 'watch'; after: number }
  | { type: 'event'; event: TaskEvent }
  | { type: 'delta'; delta: Delta }
  | { type: 'task'; task: Task }
  | { type: 'connection'; connected: boolean }
  /** The server refuses, and may not the next time: the client asks again. */
  | { type: 'refused-for-now'; message: string }
  | { type: 'end'; end: End }
  | Timing<Timer>

type Result = Stepped<FollowToEnd, ToEndEffect>

/** How long nothing may arrive before the client asks the server whether that is all. */
const QUIET_MS = 20_000
/** The pause before the client asks again after a refusal. */
const RETRY_MS = 2_000

export function startFollowingToEnd(taskId: string, turn: number, throughTurns: boolean): FollowToEnd {
  return { follow: startFollowing(taskId), turn, throughTurns, ended: 0, waiting: new Set(), over: false }
}

/** Follows a task until it ends or the person leaves, through lost connections and restarts of the server. */
export function stepToEnd(state: FollowToEnd, input: ToEndInput | Fired<Timer>): Result {
  if (state.over) return { state, effects: [] }
  switch (input.type) {
    case 'connected':
      return before({ type: 'connection', connected: true }, inOrder(state, input))
    case 'disconnected': {
      const { state: next, effects } = before({ type: 'connection', connected: false }, inOrder(state, input))
      return { state: next, effects: input.byServer ? [...effects, { type: 'connect' }] : effects }
    }
    case 'not-connected':
      return before({ type: 'connection', connected: false }, input.retries ? nothingToDo(state) : refuse(state, input))
    case 'watch-refused':
      return refuse(state, input)
    case 'unanswered':
      // If the connection was lost meanwhile, that was already noticed.
      return { state, effects: state.follow.phase === 'offline' ? [] : [{ type: 'cut' }] }
    case 'watched':
    case 'event':
      return inOrder(state, input)
    case 'delta': {
      const stayed = before(QUIET_AGAIN, nothingToDo(state))
      return input.delta.taskId === state.follow.taskId ? before(input, stayed) : stayed
    }
    case 'task':
      return input.task.id === state.follow.taskId ? { state, effects: [input] } : nothingToDo(state)
    case 'leave':
      return end(state, 'left')
    case 'fired':
      return input.timer === 'connect' ? { state, effects: [{ type: 'connect' }] } : inOrder(state, { type: 'quiet' })
  }
}

/** After one of these, asking again is pointless. */
const FINAL: ReadonlySet<string> = new Set(['unauthorized', 'forbidden', 'not_found', 'invalid'])

function refuse(
  state: FollowToEnd,
  { type, refusal }: { type: 'not-connected' | 'watch-refused'; refusal: RefusalWords },
): Result {
  const isAtWatch = type === 'watch-refused'
  if (FINAL.has(refusal.code)) return end(state, { refusedAt: isAtWatch ? 'watch' : 'connection', refusal })
  return {
    state,
    effects: [
      { type: 'refused-for-now', message: refusal.message },
      { type: 'wait', as: isAtWatch ? 'watch' : 'connect', ms: RETRY_MS },
    ],
  }
}

const QUIET_AGAIN: ToEndEffect = { type: 'wait', as: 'quiet', ms: QUIET_MS }

/** Hands the input to the shared order of events, and looks at what it gives out. */
function inOrder(state: FollowToEnd, input: FollowInput): Result {
  const { state: follow, effects } = stepFollow(state.follow, input)
  const next = { ...effects.reduce(noteEvent, state), follow }
  const stepped = { state: next, effects: [QUIET_AGAIN, ...effects] }
  return isOver(next) ? chain(stepped, () => end(next, 'ended')) : stepped
}

function noteEvent(state: FollowToEnd, effect: ToEndEffect): FollowToEnd {
  if (effect.type !== 'event') return state
  const { type, data } = effect.event
  const waiting = new Set(state.waiting)
  if (type === 'message.received' && data.mode) waiting.add(data.messageId)
  if (type === 'message.delivered' || type === 'message.withdrawn') waiting.delete(data.messageId)
  return { ...state, waiting, ended: type === 'task.ended' ? data.turn : 0 }
}

/** @returns whether the task has ended and the server has nothing newer */
function isOver({ follow, turn, throughTurns, ended, waiting }: FollowToEnd): boolean {
  const hasAll = follow.phase === 'live' && follow.last >= follow.head
  return hasAll && ended >= turn && !(throughTurns && waiting.size > 0)
}

function end(state: FollowToEnd, how: End): Result {
  return { state: { ...state, over: true }, effects: [{ type: 'end', end: how }] }
}

function before(effect: ToEndEffect, { state, effects }: Result): Result {
  return { state, effects: [effect, ...effects] }
}
