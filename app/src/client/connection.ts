import {
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionStatus,
  NO_CONNECTION,
  stepConnection,
} from '../../../client/connection.ts'
import { runMachine } from '../../../client/machine.ts'
import { countIn, parseAcknowledged, parseDelta, parseEvent, parseTask } from '../../../client/parse-socket.ts'
import type { Task } from '../../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer } from '../../../contract/api/socket.ts'
import type { AppSocket } from './socket.ts'
import { createState, type State } from './state.ts'

export type ConnectionEvents = {
  event: (event: TaskEvent) => void
  task: (task: Task) => void
  delta: (delta: Delta) => void
  live: () => void
}

export type Connection = {
  state: State<ConnectionStatus>
  /** When the connection broke; null while it works, and for a break too short to mention. */
  downSince: State<string | null>
  /** True when the server speaks a newer protocol than this app: it must be reloaded. */
  tooOld: State<boolean>
  open: () => void
  close: () => void
  /** Asks for a task's events after `after` and for all later ones. @returns null if the connection does not work or the server refuses */
  watch: (taskId: string, after: number) => Promise<{ lastSeq: number } | null>
  unwatch: (taskId: string) => void
  /** A feed reports whether it lacks events that are known to exist. */
  catchUp: (taskId: string, behind: boolean) => void
  /** Tells the server what the user is looking at, so that it sends no notifications about it. */
  look: (active: boolean, taskId: string | null) => void
  /** Checks that the connection works, after a sleep or a change of network. */
  probe: () => void
  on: <E extends keyof ConnectionEvents>(name: E, listener: ConnectionEvents[E]) => () => void
}

/**
 * Socket.IO itself notices a frozen connection only after up to 45 s. This limit plus its pause before the next try stays below the 3 s within
 * which a returning user must see the truth. A slow connection that still brings something is left alone.
 */
const PROBE_MS = 1_500
const ACKNOWLEDGE_MS = 10_000

/** One socket for the whole app: carries out what `client/connection.ts` decides. Its events are hints that the feeds check by `seq`. */
export function createConnection(load: () => Promise<AppSocket>): Connection {
  const state = createState<ConnectionStatus>(NO_CONNECTION.status)
  const downSince = createState(NO_CONNECTION.downSince)
  const tooOld = createState(NO_CONNECTION.tooOld)
  const { on, tell } = createListeners()
  let socket: AppSocket | null = null

  const carryOut = (effect: Effect) => {
    if (effect.type === 'load') void load().then(begin, () => machine.take({ type: 'not-loaded' }))
    else if (effect.type === 'live') tell('live')
    else if (socket) act(socket, effect, machine.take)
  }
  const begin = (loaded: AppSocket) => {
    socket = loaded
    hear(loaded, machine.take, tell)
    machine.take({ type: 'loaded' })
  }
  const machine = runMachine(
    NO_CONNECTION,
    (from, input: Parameters<typeof stepConnection>[1]) => stepConnection(from, input, new Date().toISOString()),
    carryOut,
    (next) => {
      state.set(next.status)
      downSince.set(next.downSince)
      tooOld.set(next.tooOld)
    },
  )

  return {
    state,
    downSince,
    tooOld,
    open: () => machine.take({ type: 'open' }),
    close: () => machine.take({ type: 'close' }),
    watch: async (taskId, after) => {
      const answer = await send(socket, 'task:watch', { taskId, after })
      const lastSeq = answer && countIn(answer, 'lastSeq')
      return lastSeq === null ? null : { lastSeq }
    },
    unwatch: (taskId) => void send(socket, 'task:unwatch', { taskId }),
    catchUp: (taskId, behind) => machine.take({ type: 'behind', taskId, behind }),
    look: (active, taskId) => machine.take({ type: 'look', front: { active, taskId } }),
    probe: () => machine.take({ type: 'probe' }),
    on,
  }
}

type Effect = Exclude<ConnectionEffect, { type: 'wait' | 'stop' }>
type Take = (input: ConnectionInput) => void
type Tell = <E extends keyof ConnectionEvents>(name: E, ...what: Parameters<ConnectionEvents[E]>) => void

function act(socket: AppSocket, effect: Exclude<Effect, { type: 'load' | 'live' }>, take: Take): void {
  switch (effect.type) {
    case 'connect':
      socket.connect()
      break
    case 'connect-now':
      socket.disconnect().connect()
      break
    case 'disconnect':
      socket.disconnect()
      break
    case 'tell-front':
      void send(socket, 'app:state', effect.front)
      break
    case 'greet':
      void greet(socket, take)
      break
    case 'probe':
      void probe(socket, take)
      break
    case 'cut':
      socket.io.engine.close()
      break
  }
}

function hear(socket: AppSocket, take: Take, tell: Tell): void {
  socket.on('connect', () => take({ type: 'connected' }))
  socket.on('disconnect', (reason) => take({ type: 'disconnected', byServer: reason === 'io server disconnect' }))
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) =>
    take({ type: 'refused', unauthorized: error.data?.code === 'unauthorized', retries: socket.active }),
  )
  socket.on('event', (raw) => {
    const event = parseEvent(raw)
    if (event) tell('event', event)
  })
  socket.on('task', (raw) => {
    const task = parseTask(raw)
    if (task) tell('task', task)
  })
  for (const name of ['delta', 'output'] as const)
    socket.on(name, (raw) => {
      const delta = parseDelta(raw)
      if (delta) tell('delta', delta)
    })
}

/** @returns null for a refusal too: the caller falls back to HTTP calls, which give the reason */
async function send<E extends keyof ClientToServer>(
  socket: AppSocket | null,
  name: E,
  payload: Parameters<ClientToServer[E]>[0],
  timeoutMs = ACKNOWLEDGE_MS,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (!socket?.connected) return null
  const line = socket.timeout(timeoutMs) as unknown as { emitWithAck: (name: E, payload: unknown) => Promise<unknown> }
  const answer = await line.emitWithAck(name, payload).then(parseAcknowledged, () => null)
  return answer?.ok ? answer.value : null
}

/** @returns whether the server answered */
async function greet(socket: AppSocket, take: Take, timeoutMs = ACKNOWLEDGE_MS): Promise<boolean> {
  const answer = await send(socket, 'app:ping', {}, timeoutMs)
  const protocol = answer && countIn(answer, 'protocol')
  if (protocol !== null) take({ type: 'greeted', protocol })
  return answer !== null
}

/** On a slow connection, the answer may queue behind other data. Any data proves that the connection works, and so does a new connection. */
async function probe(socket: AppSocket, take: Take): Promise<void> {
  const { engine } = socket.io
  let heard = false
  const hearPacket = () => {
    heard = true
  }
  engine.on('packet', hearPacket)
  const answered = await greet(socket, take, PROBE_MS)
  engine.off('packet', hearPacket)
  take({ type: 'probed', carries: answered || heard || socket.io.engine !== engine })
}

function createListeners(): { on: Connection['on']; tell: Tell } {
  const listeners = { event: new Set(), task: new Set(), delta: new Set(), live: new Set() } as {
    [E in keyof ConnectionEvents]: Set<ConnectionEvents[E]>
  }
  return {
    on: (name, listener) => {
      const set = listeners[name] as Set<typeof listener>
      set.add(listener)
      return () => set.delete(listener)
    },
    tell: (name, ...what) => {
      for (const listener of listeners[name]) (listener as (...what: unknown[]) => void)(...what)
    },
  }
}
