import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import {
  ApiToken,
  type CreateTask,
  Credential,
  Me,
  Message,
  NewApiToken,
  type PutCredential,
  type RetryTask,
  type SendMessage,
  SignInLink,
  Task,
  TaskPage,
} from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { EXIT, exitOf, Fault } from './faults.ts'
import type { Server } from './find-server.ts'

export type Api = ReturnType<typeof createApi>

const OrderedEvent = z.object({ taskId: z.string(), seq: z.number().int().positive(), type: z.string(), at: z.string() })

/** An event passes as it came, with all that a newer server adds; only what the order rests on is checked. */
const EventPage = z.object({
  events: z.array(z.custom<TaskEvent>((value) => OrderedEvent.safeParse(value).success)),
  more: z.boolean(),
})

/** Waits before a send is tried again, milliseconds. */
const RETRY_AFTER_MS = [300, 700, 1_500, 3_000]

/** The calls of the REST API that the tool makes. Each throws a {@link Fault} that says what to do. */
export function createApi(server: Server, interrupted: AbortSignal) {
  const call = (method: string, path: string, body?: unknown) => request(server, interrupted, method, path, body)
  const task = (id: string) => `/api/tasks/${encodeURIComponent(id)}`
  return {
    /** Sends a task; tried again when the network fails. `clientId` makes sure that it is one task however often it is sent. */
    createTask: (input: CreateTask & { clientId: string }) =>
      persistently(interrupted, async () => read(Task, await call('POST', '/api/tasks', input))),
    listTasks: async (query: Record<string, string>) =>
      read(TaskPage, await call('GET', `/api/tasks?${new URLSearchParams(query)}`)),
    findTask: async (id: string) => read(Task, await call('GET', task(id))),
    cancelTask: async (id: string) => read(Task, await call('POST', `${task(id)}/cancel`)),
    /** Says something to a task; tried again when the network fails. `clientId` makes sure that it is said once. */
    sendMessage: (id: string, input: SendMessage) =>
      persistently(interrupted, async () => read(Message, await call('POST', `${task(id)}/messages`, input))),
    listMessages: async (id: string) => (await read(items(Message), await call('GET', `${task(id)}/messages`))).items,
    withdrawMessage: async (id: string, messageId: string) =>
      read(Message, await call('DELETE', `${task(id)}/messages/${encodeURIComponent(messageId)}`)),
    retryTask: (id: string, input: RetryTask & { clientId: string }) =>
      persistently(interrupted, async () => read(Task, await call('POST', `${task(id)}/retry`, input))),
    /** Every stored event, in order. */
    async *events(id: string): AsyncGenerator<TaskEvent> {
      for (let after = 0, more = true; more; ) {
        const page = await read(EventPage, await call('GET', `${task(id)}/events?after=${after}&limit=1000`))
        yield* page.events
        after = page.events.at(-1)?.seq ?? after
        more = page.more && page.events.length > 0
      }
    },
    diff: async (id: string) => bodyOf(await call('GET', `${task(id)}/diff`)),
    bundle: async (id: string) => bodyOf(await call('GET', `${task(id)}/bundle`)),
    me: async () => read(Me, await call('GET', '/api/me')),
    listTokens: async () => (await read(items(ApiToken), await call('GET', '/api/me/tokens'))).items,
    createToken: async (name: string) => read(NewApiToken, await call('POST', '/api/me/tokens', { name })),
    revokeToken: async (id: string) => void (await call('DELETE', `/api/me/tokens/${encodeURIComponent(id)}`)),
    listCredentials: async () => (await read(items(Credential), await call('GET', '/api/me/credentials'))).items,
    putCredential: async (input: PutCredential) => void (await call('PUT', '/api/me/credentials', input)),
    removeCredential: async (host: string) => void (await call('DELETE', `/api/me/credentials/${encodeURIComponent(host)}`)),
    createSignInLink: async () => read(SignInLink, await call('POST', '/auth/links')),
  }
}

function items<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item) })
}

/** A fault that may be gone in a moment. */
class PassingFault extends Fault {}

async function persistently<T>(interrupted: AbortSignal, send: () => Promise<T>): Promise<T> {
  for (const waitMs of RETRY_AFTER_MS) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof PassingFault) || interrupted.aborted) throw error
    }
    await pause(waitMs, undefined, { signal: interrupted }).catch(() => undefined)
  }
  return send()
}

async function request(
  { url, token }: Server,
  interrupted: AbortSignal,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const init = { method, headers, signal: interrupted, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const response = await fetch(`${url}${path}`, init).catch((error: unknown) => {
    throw new PassingFault(
      EXIT.unreachable,
      `The server at ${url} does not answer (${causeOf(error)}). Is it running? Start it with: npm start`,
      { cause: error },
    )
  })
  if (!response.ok) throw await faultOf(response, url)
  return response
}

const ErrorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }) })

async function faultOf(response: Response, url: string): Promise<Fault> {
  const parsed = ErrorAnswer.safeParse(await jsonOf(response))
  if (!parsed.success) {
    const text = `${url} answered ${response.status}, and not as Errand does. Is this the address of an Errand server?`
    return [502, 503, 504].includes(response.status)
      ? new PassingFault(EXIT.unreachable, text)
      : new Fault(EXIT.unreachable, text)
  }
  const { code, message, requestId } = parsed.data.error
  if (code === 'unavailable') return new PassingFault(EXIT.unreachable, message)
  if (code === 'unauthorized') return new Fault(EXIT.unreachable, `${message} (the token in use was refused by ${url})`)
  return new Fault(exitOf(code), code === 'internal' ? `${message} (request ${requestId})` : message)
}

async function read<T>(schema: z.ZodType<T>, response: Response): Promise<T> {
  const parsed = schema.safeParse(await jsonOf(response))
  if (parsed.success) return parsed.data
  throw new Fault(EXIT.unreachable, `The server answered in a form that this tool does not know. Are both of the same version?`)
}

/** @returns undefined when it is not JSON */
async function jsonOf(response: Response): Promise<unknown> {
  return parseJson(await text(bodyOf(response)))
}

/** @throws Fault when it breaks off */
const bodyOf = async function* (response: Response): AsyncGenerator<Uint8Array> {
  try {
    if (response.body) yield* response.body
  } catch (error) {
    const { origin } = new URL(response.url)
    throw new PassingFault(EXIT.unreachable, `The connection to ${origin} was lost (${causeOf(error)}). Try again.`, {
      cause: error,
    })
  }
}

/** fetch says only that it failed; the reason is in its cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: NodeJS.ErrnoException; message?: string }
  return cause?.code ?? cause?.message ?? message ?? String(error)
}
