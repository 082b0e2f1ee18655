import { io, type Socket } from 'socket.io-client'
import type { Task } from '../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../contract/api/event.ts'
import type { ClientToServer, ServerToClient } from '../../contract/api/socket.ts'
import { EXIT, exitOf, Fault } from './faults.ts'
import type { Server } from './find-server.ts'
import { type FollowState, type Input, isOver, type Output, startFollowing, step } from './follow-state.ts'

export type FollowOptions = {
  server: Server
  taskId: string
  /** Stops following; the task goes on. */
  signal: AbortSignal
  /** The newest turn that the task is known to have. */
  turn: number
  /** Whether a turn that a waiting message begins is followed too. */
  throughTurns?: boolean
  onEvent: (event: TaskEvent) => void
  onDelta?: (delta: Delta) => void
  /** The task's summary, when it changed while somebody follows. */
  onTask?: (task: Task) => void
  /** False once the connection is lost, true when it is back. */
  onConnection?: (connected: boolean) => void
  /** The server refuses at the moment and says why; it is asked again. */
  onWait?: (why: string) => void
}

type Feed = Socket<ServerToClient, ClientToServer>

/** How long nothing may come before the server is asked whether that is all; and how long it may take to answer. Milliseconds. */
const QUIET_MS = 20_000
const ANSWER_MS = 10_000
/** When a server that is up but cannot serve is asked again, milliseconds. */
const RETRY_MS = 2_000

/**
 * Follows a task live until it ends or `signal` aborts, through lost connections and restarts of the server; every event is handed out
 * once and in order.
 * @throws Fault when the server refuses: no access, or no such task
 */
export function follow(options: FollowOptions): Promise<'ended' | 'left'> {
  return new Promise((resolve, reject) => {
    const { server, taskId, turn, throughTurns = false, signal, onEvent, onDelta, onTask, onConnection, onWait } = options
    let state: FollowState = startFollowing(taskId)
    const socket: Feed = io(server.url, {
      auth: (send) => send({ token: server.token }),
      transports: ['websocket', 'polling'],
      // A proxy on the way may let no WebSocket pass.
      tryAllTransports: true,
      forceNew: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
    })
    let quiet: NodeJS.Timeout | undefined
    let retry: NodeJS.Timeout | undefined
    let over = false

    const end = (settle: () => void) => {
      over = true
      clearTimeout(quiet)
      clearTimeout(retry)
      signal.removeEventListener('abort', leave)
      socket.off()
      socket.disconnect()
      settle()
    }
    const leave = () => end(() => resolve('left'))
    const fail = (error: unknown) => end(() => reject(error))

    const take = (input: Input) => {
      if (over) return
      clearTimeout(quiet)
      quiet = setTimeout(() => take({ type: 'quiet' }), QUIET_MS)
      const stepped = step(state, input)
      state = stepped.state
      try {
        stepped.outputs.forEach(act)
      } catch (error) {
        return fail(error)
      }
      if (isOver(state, turn, throughTurns)) end(() => resolve('ended'))
    }
    const act = (output: Output) => {
      if (output.type === 'event') onEvent(output.event)
      else if (output.type === 'delta') onDelta?.(output.delta)
      else askToWatch(output.after)
    }
    const askToWatch = (last: number) => {
      socket
        .timeout(ANSWER_MS)
        .emitWithAck('task:watch', { taskId, after: last })
        .then((answer) => {
          if (answer.ok) take({ type: 'watched', lastSeq: answer.lastSeq })
          else if (isFinal(answer.error.code)) fail(new Fault(exitOf(answer.error.code), answer.error.message))
          else {
            onWait?.(answer.error.message)
            retry = setTimeout(() => take({ type: 'quiet' }), RETRY_MS)
          }
        })
        // No answer in time: the connection is not worth keeping. (One that was cut has been noticed already.)
        .catch(() => socket.connected && socket.io.engine.close())
    }

    socket.on('connect', () => {
      onConnection?.(true)
      take({ type: 'connected' })
    })
    socket.on('disconnect', (reason) => {
      onConnection?.(false)
      take({ type: 'disconnected' })
      // The one case that socket.io does not come back from by itself. A token that was revoked is refused at the door.
      if (reason === 'io server disconnect') socket.connect()
    })
    socket.on('connect_error', (error: Error & { data?: { code?: string; message?: string } }) => {
      onConnection?.(false)
      if (socket.active) return
      const { code = '', message = error.message } = error.data ?? {}
      if (!isFinal(code)) {
        onWait?.(message)
        retry = setTimeout(() => socket.connect(), RETRY_MS)
      } else fail(new Fault(EXIT.unreachable, `${message} (the token in use was refused by ${server.url})`))
    })
    socket.on('event', (event) => take({ type: 'event', event }))
    socket.on('delta', (delta) => take({ type: 'delta', delta }))
    socket.on('task', (task) => task.id === taskId && onTask?.(task))
    signal.addEventListener('abort', leave)
    if (signal.aborted) leave()
  })
}

/** Whether asking again cannot help. */
function isFinal(code: string): boolean {
  return ['unauthorized', 'forbidden', 'not_found', 'invalid'].includes(code)
}
