import { setTimeout as pause } from 'node:timers/promises'
import { type Api as Calls, createApi as createCalls, type Words } from '../../client/api/api.ts'
import type { ApiError } from '../../client/api/api-error.ts'
import { ENDPOINTS } from '../../contract/api/endpoints.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { EXIT, exitOf, Fault } from './faults.ts'
import type { Server } from './find-server.ts'

/** The calls of the API, each throwing a {@link Fault} that says what to do. */
export type Api = Calls & {
  /** Every stored event, in order. */
  allEvents: (taskId: string) => AsyncGenerator<TaskEvent>
  readDiff: (taskId: string) => Promise<AsyncIterable<Uint8Array>>
  readBundle: (taskId: string) => Promise<AsyncIterable<Uint8Array>>
}

/**
 * A new task, a message and a retry are sent again when the network fails: their `clientId` makes sure that they count once.
 * @param interrupted aborted by Ctrl-C
 */
export function createApi({ url, token }: Server, interrupted: AbortSignal): Api {
  const words = wordsFor(url)
  const calls = createCalls({
    send: (address, { headers, ...request }) =>
      fetch(url + address, { ...request, headers: { ...headers, authorization: `Bearer ${token}` }, signal: interrupted }),
    endpoints: async () => ENDPOINTS,
    words,
    asThrown: (error) => faultOf(error, url),
  })
  return {
    ...calls,
    createTask: (task) => persistently(interrupted, () => calls.createTask(task)),
    sendMessage: (id, message) => persistently(interrupted, () => calls.sendMessage(id, message)),
    retryTask: (id, retry) => persistently(interrupted, () => calls.retryTask(id, retry)),
    allEvents: (id) => allEvents(calls, id),
    readDiff: async (id) => bytesOf(await calls.downloadDiff(id), words),
    readBundle: async (id) => bytesOf(await calls.downloadBundle(id), words),
  }
}

async function* allEvents({ listEvents }: Calls, id: string): AsyncGenerator<TaskEvent> {
  for (let after = 0, more = true; more; ) {
    const page = await listEvents(id, { after, limit: 1000 })
    yield* page.events
    after = page.events.at(-1)?.seq ?? after
    more = page.more && page.events.length > 0
  }
}

/** A fault that may be gone in a moment. */
class PassingFault extends Fault {}

/** Waits before a send is tried again, milliseconds. */
const RETRY_AFTER_MS = [300, 700, 1_500, 3_000]

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

function faultOf({ code, message, status, requestId, cause }: ApiError, url: string): Fault {
  // Something else than Errand answered: only a proxy that waits for its server is worth another try.
  const isPassing = code === 'unavailable' || (code === 'unreachable' && (status === null || [502, 503, 504].includes(status)))
  if (isPassing) return new PassingFault(EXIT.unreachable, message, { cause })
  if (code === 'unauthorized') return new Fault(EXIT.unreachable, `${message} (the token in use was refused by ${url})`)
  return new Fault(exitOf(code), code === 'internal' ? `${message} (request ${requestId})` : message, { cause })
}

function wordsFor(url: string): Words {
  return {
    noAnswer: (cause) => `The server at ${url} does not answer (${reasonOf(cause)}). Is it running? Start it with: npm start`,
    lost: (cause) => `The connection to ${url} was lost (${reasonOf(cause)}). Try again.`,
    foreign: (status) => `${url} answered ${status}, but not like an Errand server. Check the address.`,
    unreadable: "The server's answer does not fit this version of errand. Update the older of the two.",
  }
}

/** @throws Fault if the connection breaks off */
async function* bytesOf({ body }: Response, words: Words): AsyncGenerator<Uint8Array> {
  try {
    if (body) yield* body
  } catch (cause) {
    throw new Fault(EXIT.unreachable, words.lost(cause), { cause })
  }
}

/** fetch says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: NodeJS.ErrnoException; message?: string }
  return cause?.code ?? cause?.message ?? message ?? String(error)
}
