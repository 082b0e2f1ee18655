import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { TASK_BUDGET_EXCEEDED } from '../../../contract/wire/names.ts'

/** An answer in the model API's own form, which its clients read. `code` is ours, for the agent. */
export type ModelRefusal = {
  status: number
  type: string
  message: string
  code?: string
  details?: Readonly<Record<string, number>>
  headers?: OutgoingHttpHeaders
}

export function refuse(response: ServerResponse, refusal: ModelRefusal): void {
  const { status, type, message, code, details, headers = {} } = refusal
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(
    JSON.stringify({ type: 'error', error: { type, message, ...(code ? { details: { error_code: code, ...details } } : {}) } }),
  )
}

const NO_RETRY = { 'x-should-retry': 'false' }

export const WRONG_CALL: ModelRefusal = {
  status: 403,
  type: 'permission_error',
  message: 'Only POST /v1/messages is served here.',
}

export const TOO_MANY_REFUSALS: ModelRefusal = {
  status: 429,
  type: 'rate_limit_error',
  message: 'Too many calls of this attempt were refused.',
  code: 'too_many_refusals',
  headers: NO_RETRY,
}

export function tooManyCalls(atOnce: number): ModelRefusal {
  const message = `Only ${atOnce} calls at once are served here.`
  return { status: 429, type: 'rate_limit_error', message, code: 'too_many_calls', headers: { 'retry-after': '1' } }
}

export function tooLarge(maxBytes: number): ModelRefusal {
  return { status: 413, type: 'request_too_large', message: `A call may have at most ${maxBytes} bytes.` }
}

export const NOT_LEASED: ModelRefusal = {
  status: 503,
  type: 'overloaded_error',
  message: 'The coordinator cannot be reached, and no money is spent without it. Wait, and try again.',
  code: 'lease_run_out',
}

/** @param affordableTokens the highest `max_tokens` that fits; 0 when the prompt alone does not fit */
export function budgetExceeded(costUsd: number, leftUsd: number, affordableTokens: number): ModelRefusal {
  const advice =
    affordableTokens > 0 ? `It fits with max_tokens of ${affordableTokens} or less.` : 'Its prompt alone does not fit.'
  const message = `The task's budget does not allow this call: it may cost $${costUsd.toFixed(4)}, and $${leftUsd.toFixed(4)} is left. ${advice}`
  const details = { affordable_tokens: affordableTokens }
  return { status: 402, type: 'billing_error', message, code: TASK_BUDGET_EXCEEDED, details }
}

export function unreachable(reason: string): ModelRefusal {
  return { status: 502, type: 'api_error', message: `The model API cannot be reached (${reason}).` }
}

export const REDIRECTED: ModelRefusal = {
  status: 502,
  type: 'api_error',
  message: 'The model API answered with a redirect. The administrator of this server must check ANTHROPIC_BASE_URL.',
}

/** @param words the API's own; empty if it gave none */
export function keyRefused(status: number, words: string): ModelRefusal {
  return {
    status: 502,
    type: 'authentication_error',
    message: `The model API refused this server's key (${status})${words ? `: ${words}` : '.'}`,
    code: 'model_key_refused',
    headers: NO_RETRY,
  }
}
