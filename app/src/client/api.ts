import type {
  ChangeMe,
  Changes,
  CreateTask,
  Credential,
  Device,
  Me,
  Message,
  NewApiToken,
  NotificationSettings,
  Notifications,
  Project,
  PushSubscription,
  PutCredential,
  RetryTask,
  SendMessage,
  SignInLink,
  SignInWays,
  Task,
  TaskPage,
} from '../../../contract/api/api.ts'
import type { ErrorCode } from '../../../contract/api/errors.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { Overview } from '../../../contract/api/overview.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { words } from '../text/words.ts'
import { ApiError } from './api-error.ts'

export type EventPage = { events: TaskEvent[]; lastSeq: number; more: boolean }
export type TaskFilter = { status?: TaskStatus; search?: string; repoUrl?: string; cursor?: string; limit?: number }
type List<T> = { items: T[] }

/** Longer than the server ever thinks; a phone in a lift must not wait for ever. */
const TIMEOUT_MS = 15_000

/** The calls of the coordinator, with the browser's session. Each throws {@link ApiError}, and nothing else. */
export function createApi(onUnauthorized: () => void = () => {}) {
  const call = async (method: string, path: string, body?: unknown, accept = 'application/json'): Promise<Response> => {
    const response = await fetch(path, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new ApiError('unreachable', words.common.noAnswer, { cause: error })
    })
    if (response.ok) return response
    const refusal = await readRefusal(response)
    if (refusal.code === 'unauthorized') onUnauthorized()
    throw refusal
  }
  const json = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await call(method, path, body)
    return (await response.json().catch((error: unknown) => {
      throw new ApiError('unreachable', words.common.badAnswer, { cause: error })
    })) as T
  }
  const nothing = async (method: string, path: string, body?: unknown): Promise<void> => {
    await call(method, path, body)
  }
  const id = encodeURIComponent

  return {
    me: () => json<Me>('GET', '/api/me'),
    changeMe: (change: ChangeMe) => json<Me>('PATCH', '/api/me', change),

    tasks: (filter: TaskFilter = {}) => json<TaskPage>('GET', `/api/tasks${query(filter)}`),
    task: (taskId: string) => json<Task>('GET', `/api/tasks/${id(taskId)}`),
    createTask: (task: CreateTask) => json<Task>('POST', '/api/tasks', task),
    cancelTask: (taskId: string) => json<Task>('POST', `/api/tasks/${id(taskId)}/cancel`),
    retryTask: (taskId: string, retry: RetryTask = {}) => json<Task>('POST', `/api/tasks/${id(taskId)}/retry`, retry),
    events: (taskId: string, after: number, limit: number) =>
      json<EventPage>('GET', `/api/tasks/${id(taskId)}/events${query({ after, limit })}`),

    messages: (taskId: string) => json<List<Message>>('GET', `/api/tasks/${id(taskId)}/messages`),
    sendMessage: (taskId: string, message: SendMessage) => json<Message>('POST', `/api/tasks/${id(taskId)}/messages`, message),
    withdrawMessage: (taskId: string, messageId: string) =>
      nothing('DELETE', `/api/tasks/${id(taskId)}/messages/${id(messageId)}`),

    /** Of the whole branch, or of one turn. */
    changes: (taskId: string, turn?: number) => json<Changes>('GET', `/api/tasks/${id(taskId)}/changes${query({ turn })}`),
    diffUrl: (taskId: string) => `/api/tasks/${id(taskId)}/diff`,
    bundleUrl: (taskId: string) => `/api/tasks/${id(taskId)}/bundle`,
    outputUrl: (taskId: string, callId: string) => `/api/tasks/${id(taskId)}/outputs/${id(callId)}`,

    projects: () => json<List<Project>>('GET', '/api/projects'),
    createProject: (project: { repoUrl: string; name?: string }) => json<Project>('POST', '/api/projects', project),
    deleteProject: (projectId: string) => nothing('DELETE', `/api/projects/${id(projectId)}`),

    credentials: () => json<List<Credential>>('GET', '/api/me/credentials'),
    putCredential: (credential: PutCredential) => json<Credential>('PUT', '/api/me/credentials', credential),
    deleteCredential: (host: string) => nothing('DELETE', `/api/me/credentials/${id(host)}`),
    createToken: (name: string) => json<NewApiToken>('POST', '/api/me/tokens', { name }),
    devices: () => json<List<Device>>('GET', '/api/me/devices'),
    revokeDevice: (deviceId: string) => nothing('DELETE', `/api/me/devices/${id(deviceId)}`),
    revokeAllDevices: () => nothing('POST', '/api/me/devices/sign-out-everywhere'),
    signInWays: () => json<SignInWays>('GET', '/auth/ways'),
    signInLink: () => json<SignInLink>('POST', '/auth/links'),

    notifications: () => json<NotificationSettings>('GET', '/api/me/notifications'),
    putNotifications: (wishes: Notifications) => json<NotificationSettings>('PUT', '/api/me/notifications', wishes),
    testNotification: () => nothing('POST', '/api/me/notifications/test'),
    subscribe: (subscription: PushSubscription) => nothing('POST', '/api/me/push/subscriptions', subscription),
    unsubscribe: (endpoint: string) => nothing('DELETE', '/api/me/push/subscriptions', { endpoint }),

    overview: () => json<Overview>('GET', '/api/admin/overview'),
  }
}
export type Api = ReturnType<typeof createApi>

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length > 0 ? `?${new URLSearchParams(given)}` : ''
}

export async function readRefusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: ErrorCode; message?: string } } | null
  if (body?.error?.code && body.error.message) return new ApiError(body.error.code, body.error.message)
  // A proxy in between answers for a server that is down or starting, or a hotel that wants a sign-in of its own: no word of the server's.
  return new ApiError(SPOKEN_BY_PROXIES[response.status] ?? 'unreachable', words.common.badAnswer)
}

const SPOKEN_BY_PROXIES: Readonly<Record<number, ErrorCode>> = { 401: 'unauthorized', 413: 'too_large' }
