import type { PROTOCOL } from '../contract/api/socket.ts'
import { chain, type Fired, nothingToDo, type Stepped, type Timing } from './machine.ts'

export type ConnectionStatus = 'connecting' | 'live' | 'catching-up' | 'offline' | 'unauthorized'

/** What the person is looking at on this device. */
export type Front = { active: boolean; taskId: string | null }

export type ConnectionState = {
  status: ConnectionStatus
  /** When the connection broke; null while it works, and for a break too short to mention. */
  downSince: string | null
  /** True when the server speaks a newer protocol than this client. */
  tooOld: boolean
  /** The socket's code is loaded over the network too. */
  line: 'none' | 'loading' | 'there'
  connected: boolean
  /** Tasks whose feeds lack events that are known to exist. */
  behind: ReadonlySet<string>
  front: Front
  /** When the break started, even if it is still too short to mention. */
  brokeAt: string | null
}

type Timer = 'return' | 'patience'

export type ConnectionInput =
  | { type: 'open' }
  | { type: 'loaded' }
  | { type: 'not-loaded' }
  | { type: 'connected' }
  /** @property byServer the server ended the connection; Socket.IO then does not reconnect by itself */
  | { type: 'disconnected'; byServer: boolean }
  /** @property retries whether Socket.IO tries again by itself */
  | { type: 'refused'; unauthorized: boolean; retries: boolean }
  | { type: 'greeted'; protocol: number }
  | { type: 'behind'; taskId: string; behind: boolean }
  | { type: 'look'; front: Front }
  /** Asks whether the connection still works, after a sleep or a change of network. */
  | { type: 'probe' }
  | { type: 'probed'; carries: boolean }
  | { type: 'close' }

export type ConnectionEffect =
  /** Answered by `loaded` or `not-loaded`. */
  | { type: 'load' }
  | { type: 'connect' }
  /** Ends the pause between two tries of Socket.IO. */
  | { type: 'connect-now' }
  | { type: 'disconnect' }
  /** Answered by `greeted`, if at all. */
  | { type: 'greet' }
  | { type: 'tell-front'; front: Front }
  /** Connected: now feeds can ask for what they missed. */
  | { type: 'live' }
  /** Answered by `probed`. */
  | { type: 'probe' }
  /** Cuts a silent connection. Socket.IO opens a new one. */
  | { type: 'cut' }
  | Timing<Timer>

type Result = Stepped<ConnectionState, ConnectionEffect>

/**
 * The protocol version of this client. The contract's own constant is in a file with schemas, which would slow down a phone's first load.
 */
const SPOKEN: typeof PROTOCOL = 1
/** The pause before this client reconnects when Socket.IO does not. */
const RETURN_MS = 1_000
/** Shorter breaks are not mentioned. The first connection may take longer on a slow network. */
const PATIENCE_MS: Readonly<Partial<Record<ConnectionStatus, number>>> = { connecting: 5_000, offline: 2_000 }

export const NO_CONNECTION: ConnectionState = {
  status: 'connecting',
  downSince: null,
  tooOld: false,
  line: 'none',
  connected: false,
  behind: new Set(),
  front: { active: true, taskId: null },
  brokeAt: null,
}

/**
 * The one connection of a client. It comes back after every break.
 * @param now as an ISO date
 */
export function stepConnection(state: ConnectionState, input: ConnectionInput | Fired<Timer>, now: string): Result {
  switch (input.type) {
    case 'open':
      return open(state, now)
    case 'loaded':
      return { state: { ...state, line: 'there' }, effects: [{ type: 'connect' }] }
    case 'not-loaded':
      return chain(turn({ ...state, line: 'none' }, 'offline', now), comeBack)
    case 'connected':
      return connect(state, now)
    case 'disconnected': {
      const down = turn({ ...state, connected: false }, 'offline', now)
      return input.byServer ? chain(down, comeBack) : down
    }
    case 'refused':
      if (input.unauthorized) return turn(state, 'unauthorized', now)
      return input.retries ? turn(state, 'offline', now) : chain(turn(state, 'offline', now), comeBack)
    case 'greeted':
      return nothingToDo({ ...state, tooOld: input.protocol > SPOKEN })
    case 'behind':
      return noteBehind(state, input, now)
    case 'look':
      return { state: { ...state, front: input.front }, effects: [{ type: 'tell-front', front: input.front }] }
    case 'probe':
      return probe(state, now)
    case 'probed':
      return { state, effects: input.carries ? [] : [{ type: 'cut' }] }
    case 'fired':
      if (input.timer === 'patience') return nothingToDo({ ...state, downSince: state.brokeAt })
      return state.line === 'there' ? { state, effects: [{ type: 'connect' }] } : open(state, now)
    case 'close':
      return {
        state,
        effects: [{ type: 'stop', as: 'return' }, { type: 'disconnect' }],
      }
  }
}

function open(state: ConnectionState, now: string): Result {
  const opened = turn(state, state.status === 'unauthorized' ? 'connecting' : state.status, now)
  if (state.line !== 'none') return opened
  return chain(opened, (next) => ({ state: { ...next, line: 'loading' }, effects: [{ type: 'load' }] }))
}

function connect(state: ConnectionState, now: string): Result {
  const connected = turn({ ...state, connected: true }, state.behind.size > 0 ? 'catching-up' : 'live', now)
  return chain(connected, (next) => ({
    state: next,
    effects: [{ type: 'tell-front', front: next.front }, { type: 'greet' }, { type: 'live' }],
  }))
}

function probe(state: ConnectionState, now: string): Result {
  if (state.status === 'unauthorized') return nothingToDo(state)
  if (state.line !== 'there') return open(state, now)
  return { state, effects: [state.connected ? { type: 'probe' } : { type: 'connect-now' }] }
}

function noteBehind(state: ConnectionState, { taskId, behind }: { taskId: string; behind: boolean }, now: string): Result {
  const all = new Set(state.behind)
  if (behind) all.add(taskId)
  else all.delete(taskId)
  const noted = { ...state, behind: all }
  return state.connected ? turn(noted, all.size > 0 ? 'catching-up' : 'live', now) : nothingToDo(noted)
}

function comeBack(state: ConnectionState): Result {
  return { state, effects: [{ type: 'wait', as: 'return', ms: RETURN_MS }] }
}

/** Changes the status. A break counts from its first moment, and is shown only if it lasts long enough. */
function turn(state: ConnectionState, status: ConnectionStatus, now: string): Result {
  const isCounted = state.brokeAt !== null || PATIENCE_MS[status] === undefined
  if (status === state.status && isCounted) return nothingToDo(state)
  const patience = PATIENCE_MS[status]
  if (patience === undefined)
    return { state: { ...state, status, brokeAt: null, downSince: null }, effects: [{ type: 'stop', as: 'patience' }] }
  const down = { ...state, status, brokeAt: state.brokeAt ?? now }
  return { state: down, effects: state.downSince === null ? [{ type: 'wait', as: 'patience', ms: patience }] : [] }
}
