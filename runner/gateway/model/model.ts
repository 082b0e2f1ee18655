import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { costUsd, MODELS } from '../../../contract/shared/models.ts'
import { FENCE } from '../../../contract/wire/deadlines.ts'
import { DOOR_PATHS } from '../../../contract/wire/names.ts'
import { type Call, pickHeaders, type Room, readBody } from '../endpoint.ts'
import { failureText, type Upstream, wasSent } from '../upstream.ts'
import { affordableTokens, type Budget, chargeFor, type Hold, holdFor } from './budget.ts'
import { relayAnswer } from './model-relay.ts'
import { checkModelRequest } from './model-request.ts'
import { NOTHING_READ, type Reading } from './usage-meter.ts'

export type ModelOptions = {
  /** Without `/v1`. */
  baseUrl: string
  key: string
  model: string
  budget: Budget
  /** Waits while the attempt's lease has run out; false when `gone` aborts first, or it took longer than `atMostMs`. */
  awaitLease: (gone: AbortSignal, atMostMs: number) => Promise<boolean>
  upstream: Upstream
  say: (event: NewEvent) => void
  log: Logger
}

/** The model API's own bound on a body. */
const BODY_BYTES = 32 * 1024 * 1024
/** Calls at once. The agent makes one; a second is room for a client that starts the next before it has let go of the last. */
const CALLS_AT_ONCE = 2

/** What an attempt may send in calls that are refused, each of which holds up everybody while it is looked at. Honest ones are a few small ones. */
const REFUSED_BYTES = 8 * BODY_BYTES

/** Kept of an answer's headers: how to read it, whether and when to ask again, and what to name to the API's people. */
const ANSWER_HEADERS = [
  'content-type',
  'content-encoding',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'request-id',
] as const

/**
 * `POST /llm/v1/messages`: the model API with the server's key, for one model and within the attempt's budget. The bytes of a call go on
 * untouched once they have been checked, and those of the answer come back as they arrive.
 * @throws Error when the model has no price: its budget could not be kept
 */
export function serveModel(options: ModelOptions): Room {
  const { model, budget, awaitLease, log } = options
  if (!MODELS[model])
    throw new Error(`The model ${model} has no price in contract/shared/models.ts, so no budget could be kept. Add it there.`)
  let underWay = 0
  let refusedBytes = 0

  const serve = async (call: Call) => {
    const bytes = await readBody(call.request, BODY_BYTES)
    if (!bytes) return refuse(call.response, 413, 'request_too_large', `A call may have ${BODY_BYTES} bytes at most.`)
    const checked = checkModelRequest(bytes, model)
    if (!checked.ok) {
      refusedBytes += bytes.length
      log.warn({ event: 'model.refused', status: checked.status, why: checked.message })
      const type = checked.status === 400 ? 'invalid_request_error' : 'permission_error'
      return refuse(call.response, checked.status, type, checked.message, checked.code)
    }
    // After the last byte, which may be long in coming: from here to the call nothing waits.
    // After that the caller waits at the fence, where its time stands still.
    if (!(await awaitLease(call.gone, FENCE.effectMs))) {
      if (!call.gone.aborted) log.warn({ event: 'model.held_back' })
      return refuse(call.response, 503, 'overloaded_error', NOT_LEASED, 'lease_run_out')
    }
    const hold = holdFor(model, { bytes: bytes.length, ...checked })
    const settle = budget.reserve(hold)
    if (!settle) {
      refusedBytes += bytes.length
      return refuse(call.response, 402, 'billing_error', budgetText(model, hold, budget.leftUsd()), 'task_budget_exceeded')
    }
    let reading: Reading | null = null
    const startedAt = performance.now()
    try {
      reading = await exchange(options, call, bytes)
    } finally {
      const leftAfterMs = call.gone.aborted || reading === NOTHING_READ ? performance.now() - startedAt : 0
      settle(count(options, hold, reading, leftAfterMs))
    }
  }

  return async (call) => {
    if (call.request.method !== 'POST' || call.path !== `${DOOR_PATHS.model}/v1/messages`)
      return refuse(call.response, 403, 'permission_error', 'Only POST /v1/messages is served here.')
    if (refusedBytes >= REFUSED_BYTES)
      return refuse(call.response, 429, 'rate_limit_error', 'Too much was refused here already.', 'too_many_refusals', {
        'x-should-retry': 'false',
      })
    if (underWay >= CALLS_AT_ONCE)
      return refuse(
        call.response,
        429,
        'rate_limit_error',
        `Only ${CALLS_AT_ONCE} calls at once are served here.`,
        'too_many_calls',
        { 'retry-after': '1' },
      )
    underWay += 1
    try {
      await serve(call)
    } finally {
      underWay -= 1
    }
  }
}

/** Makes the call and passes its answer on. @returns what it told about its cost; null when it costs nothing */
async function exchange({ baseUrl, key, upstream, log }: ModelOptions, call: Call, bytes: Buffer): Promise<Reading | null> {
  const { response, gone } = call
  let found: IncomingMessage
  try {
    found = await upstream.call({
      url: `${baseUrl}/v1/messages`,
      method: 'POST',
      headers: headersFor(call, key, bytes),
      body: bytes,
      signal: gone,
    })
  } catch (error) {
    // A caller that leaves early may have set the model to work: whoever could do that for free would do it without end.
    if (gone.aborted) return NOTHING_READ
    log.warn({ event: 'model.unreachable', reason: failureText(error) })
    refuse(response, 502, 'api_error', `The model API cannot be reached (${failureText(error)}).`)
    // As dear for whoever pays: what was sent may have been read and answered, only that nobody saw it.
    return wasSent(error) ? NOTHING_READ : null
  }
  const status = found.statusCode ?? 502
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) {
    found.destroy()
    log.error({ event: 'model.misconfigured', status })
    if (status < 400)
      refuse(
        response,
        502,
        'api_error',
        'The model API answered with a redirect. Whoever runs this server must check ANTHROPIC_BASE_URL.',
      )
    else refuse(response, 502, 'authentication_error', KEY_REFUSED, 'model_key_refused', { 'x-should-retry': 'false' })
    return null
  }
  response.writeHead(status, pickHeaders(found, ANSWER_HEADERS))
  response.flushHeaders()
  const reading = await relayAnswer(found, call)
  return status === 200 ? reading : null
}

/**
 * Built, never forwarded. The key goes as `x-api-key`, which every version of the API and its stand-ins take, although the SDK shows our
 * token as Bearer. Betas are dropped: they change what a call may do, and the fields that need one are refused by name anyway.
 */
function headersFor({ request }: Call, key: string, bytes: Buffer): OutgoingHttpHeaders {
  const version = request.headers['anthropic-version']
  return {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'x-api-key': key,
    ...(typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) ? { 'anthropic-version': version } : {}),
  }
}

/** Says what the call used. @returns its cost, US dollars */
function count({ model, say }: ModelOptions, hold: Hold, reading: Reading | null, leftAfterMs: number): number {
  const charge = reading && chargeFor(hold, reading, leftAfterMs)
  if (!charge) return 0
  const { usage, estimated } = charge
  const cost = costUsd(model, usage)
  const tokens = {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
  }
  say({ type: 'usage.counted', data: { ...tokens, costUsd: cost, model, estimated } })
  return cost
}

const NOT_LEASED = 'The coordinator cannot be reached, and without it no money is spent. Wait for it.'
const KEY_REFUSED = "The model API refused this server's key. Whoever runs this server must check ANTHROPIC_API_KEY."

function budgetText(model: string, hold: Hold, leftUsd: number): string {
  const fit = affordableTokens(model, hold, leftUsd)
  const advice = fit > 0 ? `It fits with max_tokens of ${fit} or less.` : 'Its prompt alone does not fit.'
  return `The task's budget does not allow this call: it may cost $${hold.usd.toFixed(4)}, and $${leftUsd.toFixed(4)} is left. ${advice}`
}

/** Answers in the model API's own form, which its clients read. */
function refuse(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  code?: string,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ type: 'error', error: { type, message, ...(code ? { details: { error_code: code } } : {}) } }))
}
