import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import type { Task } from '../../../contract/api/api.ts'
import type { Delta, NewEvent, TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'
import { freePort } from '../systems/temporary.ts'
import { AT, answer, SCRIPTED_TASK, type Script, TOKEN, taskOf } from './scripted-answers.ts'

export { SCRIPTED_TASK }
export type ScriptedServer = Awaited<ReturnType<typeof startScriptedServer>>

/**
 * A server that speaks the contract, plays a script, and does to its clients everything that a bad day does: it forgets to send live
 * events, sends them twice or in the middle of a replay, drops connections, dies and comes back. It keeps what it stored.
 */
export async function startScriptedServer() {
  const port = await freePort()
  const script: Script = {
    stored: [],
    created: new Map(),
    others: [],
    cuts: 0,
    spoil: { how: 'cut', times: 0 },
    spoiled: 0,
    refusals: { door: 0, watch: 0 },
  }
  let live: Live | null = null
  const start = async () => {
    live = await listen(script, port)
  }
  const kill = async () => {
    const killed = live
    live = null
    if (killed) await cutPower(killed)
  }
  await start()
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    token: TOKEN,
    /** The environment in which the command line finds it. */
    env: { ERRAND_URL: url, ERRAND_TOKEN: TOKEN },
    created: script.created,
    stored: script.stored,
    start,
    kill,
    dropConnections: () => live?.io.disconnectSockets(true),
    connections: () => live?.io.of('/').sockets.size ?? 0,
    ...emitters(script, () => live?.io),
    ...faults(script),
  }
}

type Io = Server<ClientToServer, ServerToClient>
type Live = { http: HttpServer; io: Io }

async function listen(script: Script, port: number): Promise<Live> {
  const http = createServer((request, response) => {
    answer(script, request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  const io: Io = new Server(http, { pingInterval: 500, pingTimeout: 500 })
  io.use((socket, next) => {
    if (script.refusals.door-- > 0) return next(Object.assign(new Error('refused'), { data: TOO_MANY }))
    if ((socket.handshake.auth as { token?: string }).token === TOKEN) return next()
    next(Object.assign(new Error('refused'), { data: { code: 'unauthorized', message: 'Sign in again.' } }))
  })
  io.on('connection', (socket) => {
    socket.on('task:watch', ({ taskId, after = 0 }, acknowledge) => {
      if (taskId !== SCRIPTED_TASK)
        return acknowledge({ ok: false, error: { code: 'not_found', message: 'Task not found.', requestId: 'r' } })
      if (script.refusals.watch-- > 0) return acknowledge({ ok: false, error: { ...TOO_MANY, requestId: 'r' } })
      acknowledge({ ok: true, lastSeq: script.stored.length })
      replay(script, socket, after)
    })
  })
  http.listen(port, '127.0.0.1')
  await once(http, 'listening')
  return { http, io }
}

/** In slices, so that live events come in between. */
function replay(script: Script, socket: Socket<ClientToServer, ServerToClient>, after: number): void {
  const slice = script.stored.slice(after, after + 7)
  for (const event of slice) socket.emit('event', event)
  if (slice.length > 0) setImmediate(() => replay(script, socket, after + slice.length))
}

/** No good-bye: connections are cut as a power cut would. */
async function cutPower({ http, io }: Live): Promise<void> {
  const closed = once(http, 'close')
  http.close()
  http.closeAllConnections()
  io.disconnectSockets(true)
  io.engine.close()
  await closed
}

function emitters(script: Script, io: () => Io | undefined) {
  return {
    /** Stores an event and sends it to every connection, unless told to forget that. */
    emit: (event: NewEvent & { at?: string }, { forget = false, twice = false } = {}) => {
      const full: TaskEvent = { at: AT, ...event, taskId: SCRIPTED_TASK, seq: script.stored.length + 1, attempt: 1 }
      script.stored.push(full)
      if (!forget) io()?.emit('event', full)
      if (twice) io()?.emit('event', full)
    },
    emitDelta: (delta: Omit<Delta, 'taskId'>) => io()?.emit('delta', { ...delta, taskId: SCRIPTED_TASK }),
    emitTask: (changed: Partial<Task>) => io()?.emit('task', { ...taskOf(), ...changed }),
    /** An event of another task of the same user. */
    emitElsewhere: () => io()?.emit('event', { taskId: 'tsk_other', seq: 1, attempt: 1, at: AT, ...TEXT('not for this list') }),
  }
}

function faults(script: Script) {
  return {
    addToList: (...ids: string[]) => {
      for (const id of ids) script.others.push({ ...taskOf(), id })
    },
    cutNextAnswers: (n: number) => {
      script.cuts = n
    },
    spoilNextAnswers: (how: 'cut' | 'hang', times: number) => {
      script.spoil = { how, times }
    },
    spoiled: () => script.spoiled,
    refuseNext: (what: keyof Script['refusals'], times: number) => {
      script.refusals[what] = times
    },
  }
}

export const TOO_MANY = { code: 'rate_limited', message: 'You have too many of them.' } as const

export function TEXT(text: string): NewEvent {
  return { type: 'text.written', data: { text } }
}

export function END(status: 'completed' | 'failed' | 'cancelled'): NewEvent {
  return {
    type: 'task.ended',
    data: {
      turn: 1,
      status,
      reason: status === 'completed' ? 'done' : status === 'failed' ? 'budget_exceeded' : 'cancelled_by_user',
      message: null,
      branch: 'errand/1/work',
    },
  }
}
