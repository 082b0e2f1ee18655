import type { AnswerOf, BodyOf, ENDPOINTS, Endpoint, QueryOf } from '../../contract/api/endpoints.ts'
import type { ErrorBody } from '../../contract/api/errors.ts'
import { addressOf, CALLS, type CallId, type Query, routeOf } from '../../contract/api/routes.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { ApiError } from './api-error.ts'

/**
 * Every call of the API, made from the contract: first the parameters of its path, then its body or query. Each answer is parsed with the
 * schema of the contract. Each call throws what {@link Line.asThrown} makes of an {@link ApiError}, and nothing else.
 */
export type Api = { [Id in CallId]: (...given: Given<Id>) => Promise<Result<Id>> }

type Given<Id extends CallId> = [...Params<(typeof CALLS)[Id]>, ...Input<Id>]
type Params<Path extends string> = Path extends `${string}:${string}/${infer Rest}`
  ? [param: string, ...Params<Rest>]
  : Path extends `${string}:${string}`
    ? [param: string]
    : []
type Input<Id extends CallId> = (typeof ENDPOINTS)[Id] extends { body: unknown }
  ? (typeof ENDPOINTS)[Id] extends { bodyRequired: false }
    ? [body?: BodyOf<Id>]
    : [body: BodyOf<Id>]
  : (typeof ENDPOINTS)[Id] extends { query: unknown }
    ? [query?: QueryOf<Id>]
    : []
/** An answer that is not JSON is passed on unread. */
type Result<Id extends CallId> = (typeof ENDPOINTS)[Id] extends { answerType: string } ? Response : AnswerOf<Id>

/** What the client supplies. */
export type Line = {
  /** Sends one request to the server. Rejects if no answer comes back. */
  send: (address: string, request: Request) => Promise<Response>
  /** Loads the schemas. They are large, so a client may load them late: requests go out without them, and answers wait for them. */
  endpoints: () => Promise<typeof ENDPOINTS>
  words: Words
  /** Turns a failure into what the caller catches; also the place to log it. */
  asThrown?: (error: ApiError) => Error
}

type Request = { method: string; headers: Record<string, string>; body?: string }

/** Messages for a person when the server sent none. */
export type Words = {
  noAnswer: (cause: unknown) => string
  /** The connection broke off in the middle of an answer. */
  lost: (cause: unknown) => string
  /** The answer is not from an Errand server but, for example, from a proxy or a network's sign-in page. */
  foreign: (status: number) => string
  /** The answer does not fit this version of the client. */
  unreadable: string
}

export function createApi(line: Line): Api {
  const calls = Object.keys(CALLS).map((id) => [id, (...given: unknown[]) => call(line, id as CallId, given)])
  return Object.fromEntries(calls) as Api
}

async function call(line: Line, id: CallId, given: readonly unknown[]): Promise<unknown> {
  try {
    const { method, path } = routeOf(id)
    const count = path.split(':').length - 1
    const params = given.slice(0, count) as string[]
    const input = given[count]
    const [query, body] = method === 'GET' ? [input as Query | undefined, undefined] : [undefined, input]
    // The schemas load while the server works. An answer that needs them waits for them, and fails if they did not load.
    void line.endpoints().catch(() => undefined)
    const response = await send(line, addressOf(id, params, query), requestOf(method, body))
    return response.status === 204 ? undefined : await read(line, id, response)
  } catch (error) {
    throw error instanceof ApiError && line.asThrown ? line.asThrown(error) : error
  }
}

function requestOf(method: string, body: unknown): Request {
  const accept = { accept: 'application/json' }
  if (body === undefined) return { method, headers: accept }
  return { method, headers: { ...accept, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

async function send({ send, words }: Line, address: string, request: Request): Promise<Response> {
  const response = await send(address, request).catch((cause: unknown) => {
    throw new ApiError('unreachable', words.noAnswer(cause), { cause })
  })
  if (response.ok) return response
  throw await refusalOf(response, words)
}

async function read({ endpoints, words }: Line, id: CallId, response: Response): Promise<unknown> {
  const { status } = response
  const { answer, answerType }: Endpoint = await endpoints().then(
    (all) => all[id],
    (cause: unknown) => {
      throw new ApiError('unreachable', words.noAnswer(cause), { cause })
    },
  )
  if (answerType) return response
  const text = await response.text().catch((cause: unknown) => {
    throw new ApiError('unreachable', words.lost(cause), { cause })
  })
  const json = parseJson(text)
  if (json === undefined) throw new ApiError('unreachable', words.foreign(status), { status })
  const parsed = answer?.safeParse(json)
  if (parsed?.success === false) throw new ApiError('unreadable', words.unreadable, { cause: parsed.error, status })
  return parsed?.data
}

/** @returns the reason for an answer that is not ok, in the server's own words if it is an Errand server */
export async function refusalOf(response: Response, words: Pick<Words, 'foreign'>): Promise<ApiError> {
  const { status } = response
  const body = parseJson(await response.text().catch(() => '')) as { error?: Partial<ErrorBody> } | null | undefined
  const { code, message, requestId = null } = body?.error ?? {}
  if (code && message) return new ApiError(code, message, { status, requestId })
  return new ApiError(SENT_BY_PROXIES[status] ?? 'unreachable', words.foreign(status), { status })
}

/** A proxy answers for a server that is down or starting. These statuses concern the request itself. */
const SENT_BY_PROXIES: Readonly<Record<number, 'unauthorized' | 'too_large'>> = { 401: 'unauthorized', 413: 'too_large' }
