import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import type { CreateTask, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'
import { isEnded } from '../../../contract/api/status.ts'
import { waitFor } from '../checks/wait.ts'

export type Client = ReturnType<typeof createClient>
export type ClientSocket = Socket<ServerToClient, ClientToServer>
type Ask = <T>(path: string, body?: unknown, how?: { method?: string; token?: string | undefined }) => Promise<T>
type Call = { method?: string; body?: unknown; token?: string | undefined }

/**
 * What a program of a user asks a coordinator: as the owner of `ownToken`, or of the token that a call names. `api` gives status and
 * body of the answer; `ask` gives the body, and throws an Error with the answer when it is none of success.
 */
export function createClient(url: string, ownToken: string) {
  const api = <T = unknown>(path: string, { token = ownToken, ...call }: Call = {}) => callApi<T>(url + path, token, call)
  const task = async (id: string, token?: string) => (await api<Task>(`/api/tasks/${id}`, { token })).body
  const ask: Ask = async (path, body, { method = body === undefined ? 'GET' : 'POST', token } = {}) => {
    const answer = await api(path, { method, body, token })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as never
  }
  return {
    /** Of the server's own demo, where it is one. */
    demoRepoUrl: `${url}/demo/git/hello.git`,
    api,
    ask,
    task,
    send: async (body: CreateTask, token?: string): Promise<Task> => {
      const answer = await api<Task>('/api/tasks', { method: 'POST', body, token })
      if (answer.status !== 201) throw new Error(`POST /api/tasks: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    /** The whole list of events, from REST. */
    events: async (id: string, token?: string): Promise<TaskEvent[]> => {
      const events: TaskEvent[] = []
      for (;;) {
        const path = `/api/tasks/${id}/events?after=${events.at(-1)?.seq ?? 0}`
        const page = (await api<{ events: TaskEvent[]; more: boolean }>(path, { token })).body
        events.push(...page.events)
        if (!page.more) return events
      }
    },
    ended: (id: string, timeoutMs = 180_000, token?: string): Promise<Task> => {
      const look = async () => {
        const now = await task(id, token)
        return isEnded(now.status) && now
      }
      return waitFor(`task ${id} to end`, look, timeoutMs, 200)
    },
    /** A client that only connects. */
    connect: (token = ownToken) => connectSocket(url, { auth: { token } }),
  }
}

/** A socket of its own, over WebSocket, that comes again soon when it is cut. */
export function connectSocket(url: string, options: Partial<ManagerOptions & SocketOptions>): ClientSocket {
  return io(url, { transports: ['websocket'], reconnectionDelay: 50, forceNew: true, ...options })
}

/** @returns null when the server lets the socket in, else why not */
export function answerTo(socket: Socket): Promise<(Error & { data?: { code: string; message: string } }) | null> {
  return new Promise((resolve) => {
    socket.once('connect_error', resolve)
    socket.once('connect', () => resolve(null))
  })
}

/** One call; the body, when given, goes as JSON. */
async function callApi<T>(url: string, token: string, { method = 'GET', body }: Call): Promise<{ status: number; body: T }> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json')
  return { status: response.status, body: (json ? JSON.parse(text) : text) as never }
}
