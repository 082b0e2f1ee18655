import { io, type Socket } from 'socket.io-client'
import {
  type End,
  type RefusalWords,
  startFollowingToEnd,
  stepToEnd,
  type ToEndEffect,
  type ToEndInput,
} from '../../client/follow-to-end.ts'
import { runMachine } from '../../client/machine.ts'
import { countIn, parseAcknowledged, parseDelta, parseEvent, parseTask } from '../../client/parse-socket.ts'
import type { Task } from '../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../contract/api/event.ts'
import type { ClientToServer } from '../../contract/api/socket.ts'
import { EXIT, exitOf, Fault } from './faults.ts'
import type { Server } from './find-server.ts'

export type FollowOptions = {
  server: Server
  taskId: string
  /** Stops following; the task goes on. */
  signal: AbortSignal
  /** The newest turn that the task is known to have. */
  turn: number
  /** Whether the turns that waiting messages begin are followed too. */
  throughTurns?: boolean
  onEvent: (event: TaskEvent) => void
  onDelta?: (delta: Delta) => void
  /** The task's summary has changed. */
  onTask?: (task: Task) => void
  /** False when the connection is lost, true when it is back. */
  onConnection?: (connected: boolean) => void
  /** The server refuses for the moment and says why; it is asked again. */
  onWait?: (why: string) => void
}

/** What the server sends is parsed before it is used. */
type FromServer = {
  event: (raw: unknown) => void
  delta: (raw: unknown) => void
  output: (raw: unknown) => void
  task: (raw: unknown) => void
}
type Line = Socket<FromServer, ClientToServer>
type Effect = Exclude<ToEndEffect, { type: 'wait' | 'stop' }>

/** How long the server may take to acknowledge a call. */
const ANSWER_MS = 10_000

/**
 * Follows a task live until it ends or `signal` aborts, through lost connections and restarts of the server; every event is handed out
 * once and in order.
 * @throws Fault when the server refuses: no access, or no such task
 */
export function follow(options: FollowOptions): Promise<'ended' | 'left'> {
  const { server, taskId, turn, throughTurns = false, signal } = options
  return new Promise((resolve, reject) => {
    const line = openLine(server)
    const leave = () => machine.take({ type: 'leave' })
    const end = (settle: () => void) => {
      machine.stop()
      signal.removeEventListener('abort', leave)
      line.off()
      line.disconnect()
      settle()
    }
    const carryOut = (effect: Effect) => {
      try {
        if (effect.type === 'watch') void watch(line, taskId, effect.after).then(machine.take)
        else if (effect.type !== 'end') act(line, options, effect)
        else if (typeof effect.end === 'string') end(resolve.bind(null, effect.end))
        else end(reject.bind(null, faultOf(effect.end, server)))
      } catch (error) {
        end(() => reject(error))
      }
    }
    const machine = runMachine(startFollowingToEnd(taskId, turn, throughTurns), stepToEnd, carryOut)
    hear(line, machine.take)
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
  })
}

function openLine({ url, token }: Server): Line {
  return io(url, {
    auth: (send) => send({ token }),
    transports: ['websocket', 'polling'],
    // A proxy on the way may let no WebSocket pass.
    tryAllTransports: true,
    forceNew: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
  })
}

function hear(line: Line, take: (input: ToEndInput) => void): void {
  line.on('connect', () => take({ type: 'connected' }))
  line.on('disconnect', (reason) => take({ type: 'disconnected', byServer: reason === 'io server disconnect' }))
  line.on('connect_error', (error: Error & { data?: Partial<RefusalWords> }) => {
    const { code = '', message = error.message } = error.data ?? {}
    take({ type: 'not-connected', refusal: { code, message }, retries: line.active })
  })
  line.on('event', (raw) => {
    const event = parseEvent(raw)
    if (event) take({ type: 'event', event })
  })
  for (const name of ['delta', 'output'] as const)
    line.on(name, (raw) => {
      const delta = parseDelta(raw)
      if (delta) take({ type: 'delta', delta })
    })
  line.on('task', (raw) => {
    const task = parseTask(raw)
    if (task) take({ type: 'task', task })
  })
}

async function watch(line: Line, taskId: string, after: number): Promise<ToEndInput> {
  const answer = await line
    .timeout(ANSWER_MS)
    .emitWithAck('task:watch', { taskId, after })
    .then(parseAcknowledged, () => null)
  if (answer === null) return { type: 'unanswered' }
  if (!answer.ok) return { type: 'watch-refused', refusal: answer }
  const lastSeq = countIn(answer.value, 'lastSeq')
  return lastSeq === null ? { type: 'unanswered' } : { type: 'watched', lastSeq }
}

function act(line: Line, options: FollowOptions, effect: Exclude<Effect, { type: 'watch' | 'end' }>): void {
  switch (effect.type) {
    case 'connect':
      line.connect()
      break
    case 'cut':
      if (line.connected) line.io.engine.close()
      break
    case 'event':
      options.onEvent(effect.event)
      break
    case 'delta':
      options.onDelta?.(effect.delta)
      break
    case 'task':
      options.onTask?.(effect.task)
      break
    case 'connection':
      options.onConnection?.(effect.connected)
      break
    case 'refused-for-now':
      options.onWait?.(effect.message)
      break
  }
}

function faultOf({ refusedAt, refusal }: Exclude<End, string>, { url }: Server): Fault {
  return refusedAt === 'watch'
    ? new Fault(exitOf(refusal.code), refusal.message)
    : new Fault(EXIT.unreachable, `${refusal.message} (the token in use was refused by ${url})`)
}
