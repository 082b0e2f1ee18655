import type { Reason } from '../../contract/api/reason.ts'
import { TASK_BUDGET_EXCEEDED, UNCONFIRMED } from '../../contract/wire/names.ts'
import { accountReason, apiWords } from './account-errors.ts'

/** What to do about a model call that failed. */
export type Fault =
  /** Once more, after a pause; `retryAfterMs` when the API named one. */
  | { kind: 'retry'; retryAfterMs: number | null; message: string }
  /** The way to the gateway broke, because the runner was restarted. The gateway itself answers or says why not. */
  | { kind: 'door'; message: string }
  /** An answer that makes no sense: two more tries. */
  | { kind: 'garbled'; message: string }
  /** The API does not take the conversation as it is; a changed one may be accepted. */
  | { kind: 'refused'; message: string }
  /** The gateway holds more for it than is left: it lets the same pass with fewer tokens. */
  | { kind: 'costly'; maxTokens: number; message: string }
  | { kind: 'final'; reason: Reason; message: string }

/** The stream was silent for too long. */
export class StallError extends Error {}
/** The stream ended without its last event. */
export class CutError extends Error {}
/** The stream has events that do not belong together. */
export class GarbledError extends Error {}

/**
 * The gateway spends nothing while the coordinator is away: it made no call, and the caller must wait. The door of a runner that was restarted
 * says so too, with its own status, until the coordinator answers.
 */
export function isUnconfirmed(error: unknown): boolean {
  const { status, code } = describe(error)
  return status === UNCONFIRMED || code === 'lease_run_out'
}

/** The common fields of the SDK's errors, without its classes: the status, body and headers of an answer. */
type Described = {
  status: number | undefined
  /** `error.type` of the body. */
  type: string | null
  /** `error.details.error_code` of the body. */
  code: string | null
  /** `error.details.affordable_tokens` of the gateway's 402; 0 if it has none. */
  affordableTokens: number
  headers: Headers | undefined
  message: string
}

/** With fewer, no answer is worth asking for. */
const LEAST_TOKENS = 500

const STREAM_RETRY = ['overloaded_error', 'rate_limit_error', 'api_error', 'timeout_error']

/**
 * Pure. Statuses and error types: docs.claude.com, "Errors". The gateway adds a 402 with a code of its own (the task's budget) and turns the API's refusal of its
 * key, 401 or 403, into a 502 with `authentication_error`; a 403 is therefore the gateway's own, for a body that it does not let through.
 * @param now milliseconds since 1970, for a `retry-after` that is a date
 */
export function classify(error: unknown, now = Date.now()): Fault {
  if (error instanceof StallError || error instanceof CutError)
    return { kind: 'retry', retryAfterMs: null, message: error.message }
  if (error instanceof GarbledError || error instanceof SyntaxError) return { kind: 'garbled', message: error.message }
  const { status, type, code, affordableTokens, headers, message } = describe(error)
  const final = (reason: Reason): Fault => ({ kind: 'final', reason, message })
  if (code === TASK_BUDGET_EXCEEDED)
    return affordableTokens < LEAST_TOKENS ? final('budget_exceeded') : { kind: 'costly', maxTokens: affordableTokens, message }
  const account = accountReason({ status, type, code, message })
  if (account) return { kind: 'final', reason: account, message: apiWords(message) }
  if (status === 413 || (status === 400 && /prompt is too long|context (window|limit)/i.test(message)))
    return final('context_exceeded')
  if (status === 400) return { kind: 'refused', message }
  const retry: Fault = { kind: 'retry', retryAfterMs: retryAfter(headers, now), message }
  if (status === undefined) {
    if (type !== null) return STREAM_RETRY.includes(type) ? retry : final('protocol_error')
    return { kind: isConnection(error) ? 'door' : 'garbled', message }
  }
  if (headers?.get('x-should-retry') === 'false')
    return final(status >= 500 || status === 429 ? 'model_unavailable' : 'model_request_invalid')
  if (status === 408 || status === 409 || status === 429 || status >= 500) return retry
  return final('model_request_invalid')
}

/** Pure. @returns what is known of an error of the SDK */
export function describe(error: unknown): Described {
  const given = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  return {
    status: typeof given.status === 'number' ? given.status : undefined,
    type: text(given.type),
    code: text(given.errorCode),
    affordableTokens: affordableIn(given.details),
    headers: given.headers instanceof Headers ? given.headers : undefined,
    message: text(given.apiMessage) ?? text(given.message) ?? String(error),
  }
}

function affordableIn(details: unknown): number {
  const tokens = typeof details === 'object' && details !== null && 'affordable_tokens' in details ? details.affordable_tokens : 0
  return Number.isSafeInteger(tokens) ? Number(tokens) : 0
}

/** A broken socket is a bare TypeError of `fetch` within the stream, and the SDK's APIConnectionError before it. */
function isConnection(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && /connection|terminated|timed out/i.test(error.message))
}

function retryAfter(headers: Headers | undefined, now: number): number | null {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '')
  if (milliseconds >= 0) return milliseconds
  const value = headers?.get('retry-after')
  if (!value) return null
  const seconds = Number.parseFloat(value)
  const waitMs = /^\s*[\d.]+\s*$/.test(value) ? seconds * 1000 : Date.parse(value) - now
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}
