import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Server, type Socket } from 'socket.io'
import type { Task } from '../../../contract/api/api.ts'
import type { Delta, NewEvent, TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'
import { freePort } from '../systems/temporary.ts'

export const SCRIPTED_TASK = 'tsk_aaaaaaaaaaaaaaaa'
const TOKEN = 'a-token'

export type ScriptedServer = Awaited<ReturnType<typeof startScriptedServer>>

/**
 * A server that speaks the contract and plays a script, and does to its clients all that a bad day does: it forgets to send live events,
 * sends them twice and in between a replay, drops connections, dies and comes back. What it stored it keeps.
 */
export async function startScriptedServer() {
  const port = await freePort()
  const stored: TaskEvent[] = []
  const created = new Map<string, Task>()
  /** Tasks that are in the list alone. */
  const others: Task[] = []
  /** How often an answer is cut off after the request took effect. */
  let cuts = 0
  /** What becomes of the bodies of the next answers after their first byte, and of how many that was done. */
  let spoil: { how: 'cut' | 'hang'; times: number } = { how: 'cut', times: 0 }
  let spoiled = 0
  /** What is refused next, and how often: a connection, or to watch. */
  const refusals = { door: 0, watch: 0 }
  let live: { http: HttpServer; io: Server<ClientToServer, ServerToClient> } | null = null

  const start = async () => {
    const http = createServer((request, response) => {
      answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
    const io: Server<ClientToServer, ServerToClient> = new Server(http, { pingInterval: 500, pingTimeout: 500 })
    io.use((socket, next) => {
      if (refusals.door-- > 0) return next(Object.assign(new Error('refused'), { data: TOO_MANY }))
      if ((socket.handshake.auth as { token?: string }).token === TOKEN) return next()
      next(Object.assign(new Error('refused'), { data: { code: 'unauthorized', message: 'Sign in again.' } }))
    })
    io.on('connection', (socket) => {
      socket.on('task:watch', ({ taskId, after = 0 }, acknowledge) => {
        if (taskId !== SCRIPTED_TASK)
          return acknowledge({ ok: false, error: { code: 'not_found', message: 'There is no such task.', requestId: 'r' } })
        if (refusals.watch-- > 0) return acknowledge({ ok: false, error: { ...TOO_MANY, requestId: 'r' } })
        acknowledge({ ok: true, lastSeq: stored.length })
        replay(socket, after)
      })
    })
    http.listen(port, '127.0.0.1')
    await once(http, 'listening')
    live = { http, io }
  }
  /** In slices, so that live events come in between. */
  const replay = (socket: Socket<ClientToServer, ServerToClient>, after: number) => {
    const slice = stored.slice(after, after + 7)
    for (const event of slice) socket.emit('event', event)
    if (slice.length > 0) setImmediate(() => replay(socket, after + slice.length))
  }
  /** No good-bye: connections are cut as a power cut would. */
  const kill = async () => {
    if (!live) return
    const { http, io } = live
    live = null
    const closed = once(http, 'close')
    http.close()
    http.closeAllConnections()
    io.disconnectSockets(true)
    io.engine.close()
    await closed
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const write = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type })
      if (spoil.times-- <= 0) return response.end(body)
      response.write(body.slice(0, 1), () => {
        spoiled += 1
        if (spoil.how === 'cut') request.socket.destroy()
      })
    }
    const send = (status: number, body: unknown) => write(status, 'application/json', JSON.stringify(body))
    const refuse = (status: number, code: string, message: string) => send(status, { error: { code, message, requestId: 'r1' } })
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://x')
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, 'unauthorized', 'Sign in, or show a valid token.')
    if (path === '/api/tasks' && request.method === 'POST') {
      const { clientId, ...input } = JSON.parse(await text(request)) as NewTask & { clientId: string }
      if (input.repoUrl.startsWith('http://evil')) return refuse(400, 'invalid', 'This server does not allow that host.')
      const task = created.get(clientId) ?? taskOf(input)
      created.set(clientId, task)
      if (cuts-- > 0) return request.socket.destroy()
      return send(201, task)
    }
    if (path === '/api/tasks') {
      const known = [...created.values(), ...others].filter(({ id }) => id.startsWith(searchParams.get('id') ?? ''))
      return send(200, { items: known, nextCursor: null })
    }
    if (path === '/api/me') return send(200, ME)
    if (path === '/auth/links') return send(201, { url: 'http://127.0.0.1/auth/link?code=1', expiresAt: AT })
    if (!path.startsWith(`/api/tasks/${SCRIPTED_TASK}`)) return refuse(404, 'not_found', 'There is no such task.')
    if (path.endsWith('/cancel')) return refuse(409, 'conflict', 'The task has ended.')
    if (path.endsWith('/diff')) return write(200, 'text/x-diff', '-a\n+b\n')
    if (!path.endsWith('/events')) return send(200, taskOf({ repoUrl: 'https://example.org/a/b', prompt: 'x' }))
    const after = Number(searchParams.get('after'))
    const events = stored.slice(after, after + 10)
    send(200, { events, lastSeq: stored.length, more: after + events.length < stored.length })
  }

  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    token: TOKEN,
    created,
    stored,
    start,
    kill,
    /** Stores an event, and sends it to all that are connected, unless told to forget that. */
    say: (event: NewEvent & { at?: string }, { forget = false, twice = false } = {}) => {
      const full: TaskEvent = { at: AT, ...event, taskId: SCRIPTED_TASK, seq: stored.length + 1, attempt: 1 }
      stored.push(full)
      if (!forget) live?.io.emit('event', full)
      if (twice) live?.io.emit('event', full)
    },
    sayDelta: (delta: Omit<Delta, 'taskId'>) => live?.io.emit('delta', { ...delta, taskId: SCRIPTED_TASK }),
    sayTask: (changed: Partial<Task>) =>
      live?.io.emit('task', { ...taskOf({ repoUrl: 'https://example.org/a/b', prompt: 'x' }), ...changed }),
    addToList: (...ids: string[]) => {
      for (const id of ids) others.push({ ...taskOf({ repoUrl: 'https://example.org/a/b', prompt: 'x' }), id })
    },
    /** An event of another task of the same user. */
    sayElsewhere: () => live?.io.emit('event', { taskId: 'tsk_other', seq: 1, attempt: 1, at: AT, ...TEXT('not for this list') }),
    dropConnections: () => live?.io.disconnectSockets(true),
    cutNextAnswers: (n: number) => {
      cuts = n
    },
    spoilNextAnswers: (how: 'cut' | 'hang', times: number) => {
      spoil = { how, times }
    },
    spoiled: () => spoiled,
    refuseNext: (what: keyof typeof refusals, times: number) => {
      refusals[what] = times
    },
    connections: () => live?.io.of('/').sockets.size ?? 0,
  }
}

export const TOO_MANY = { code: 'rate_limited', message: 'You have too many of them.' } as const

const AT = '2026-11-21T10:00:00.000Z'
const NO_USAGE = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 }

const ME = {
  id: 'usr_1',
  name: 'Owner',
  avatarUrl: null,
  admin: true,
  demo: true,
  demoRepoUrl: 'http://127.0.0.1:1/demo/git/hello.git',
  gitHosts: ['https://github.com'],
  models: ['claude-opus-5-5'],
  defaultModel: 'claude-opus-5-5',
  defaultBudgetUsd: 5,
  ownBudgetUsd: null,
}

type NewTask = { repoUrl: string; prompt: string; baseBranch?: string }

function taskOf({ repoUrl, prompt, baseBranch }: NewTask): Task {
  return {
    id: SCRIPTED_TASK,
    status: 'running',
    reason: null,
    reasonText: null,
    repoUrl,
    baseBranch: baseBranch ?? null,
    branch: `errand/${SCRIPTED_TASK}/work`,
    prompt,
    model: 'claude-opus-5-5',
    budgetUsd: 5,
    demo: true,
    turn: 1,
    queuePosition: null,
    diff: null,
    attempt: 1,
    lastSeq: 0,
    usage: NO_USAGE,
    pullRequestUrl: null,
    createdAt: AT,
    startedAt: AT,
    completedAt: null,
    error: null,
  }
}

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
