import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { costUsd, MODELS } from '../../../contract/shared/models.ts'
import { FENCE } from '../../../contract/wire/deadlines.ts'
import { DOOR_PATHS } from '../../../contract/wire/names.ts'
import type { Said } from '../../../contract/wire/prompt.ts'
import { type Call, type Endpoint, readBody } from '../endpoint.ts'
import type { Upstream } from '../upstream.ts'
import { affordableTokens, type Budget, chargeFor, type Hold, holdFor } from './budget.ts'
import { createKnownPrefixes, type KnownPrefixes, type Prefix } from './known-prefix.ts'
import { callModel } from './model-call.ts'
import {
  budgetExceeded,
  type ModelRefusal,
  NOT_LEASED,
  refuse,
  TOO_MANY_REFUSALS,
  tooLarge,
  tooManyCalls,
  WRONG_CALL,
} from './model-refusal.ts'
import { checkModelRequest } from './model-request.ts'
import { NOTHING_READ, type Reading } from './usage-meter.ts'

export type ModelOptions = {
  /** Without `/v1`. */
  baseUrl: string
  key: string
  model: string
  budget: Budget
  /** Waits until the attempt has a valid lease; false if `gone` aborts first or it takes longer than `atMostMs`. */
  awaitLease: (gone: AbortSignal, atMostMs: number) => Promise<boolean>
  /** The model API took a request with these words of the person. */
  onTaken: (said: readonly Said[]) => void
  upstream: Upstream
  emit: (event: NewEvent) => void
  log: Logger
}

/** The model API's own bound on a body. */
const BODY_BYTES = 32 * 1024 * 1024
/** The agent makes one call at a time; the second is for a client that starts the next before it has released the last. */
const CALLS_AT_ONCE = 2
/** How much an attempt may send in refused calls: checking one blocks every attempt. Honest ones are few and small. */
const REFUSED_BYTES = 8 * BODY_BYTES

/**
 * `POST /llm/v1/messages`: the model API with the server's key, for one model and within the attempt's budget. The bytes of a call go on
 * unchanged after they have been checked, and those of the answer come back as they arrive.
 * @throws Error when the model has no price: its budget could not be kept
 */
export function serveModel(options: ModelOptions): Endpoint {
  if (!MODELS[options.model])
    throw new Error(
      `The model ${options.model} has no price in contract/shared/models.ts, so no budget can be enforced. Add it there.`,
    )
  let activeCalls = 0
  let refusedBytes = 0
  let mayCheckAt = 0
  const prefixes = createKnownPrefixes()
  const pacing: Pacing = {
    turn: async (gone) => {
      const ms = mayCheckAt - performance.now()
      if (ms > 0) await pause(ms, undefined, { signal: gone }).catch(() => undefined)
    },
    refused: (bytes, checkMs) => {
      refusedBytes += bytes
      mayCheckAt = performance.now() + Math.min(LONGEST_PAUSE_MS, PAUSE_FACTOR * checkMs)
    },
  }
  return async (call) => {
    if (call.request.method !== 'POST' || call.path !== `${DOOR_PATHS.model}/v1/messages`)
      return refuse(call.response, WRONG_CALL)
    if (refusedBytes >= REFUSED_BYTES) return refuse(call.response, TOO_MANY_REFUSALS)
    if (activeCalls >= CALLS_AT_ONCE) return refuse(call.response, tooManyCalls(CALLS_AT_ONCE))
    activeCalls += 1
    try {
      const refusal = await serveCall({ ...options, prefixes, pacing }, call)
      if (refusal) refuse(call.response, refusal)
    } finally {
      activeCalls -= 1
    }
  }
}

/** Checking a body blocks every attempt on this runner. An attempt whose calls are refused, here or by the model API, pays with waiting. */
type Pacing = {
  /** Waits until the attempt may have the next call checked. */
  turn: (gone: AbortSignal) => Promise<void>
  refused: (bytes: number, checkMs: number) => void
}
/** After a refused call an attempt waits so many times as long as its check took: refused calls get 5 % of the runner's time. */
const PAUSE_FACTOR = 19
const LONGEST_PAUSE_MS = 5_000

/** @returns why the call is refused; null when it was answered */
async function serveCall(
  options: ModelOptions & { prefixes: KnownPrefixes; pacing: Pacing },
  call: Call,
): Promise<ModelRefusal | null> {
  const { model, budget, prefixes, pacing, awaitLease, onTaken, log } = options
  const bytes = await readBody(call.request, BODY_BYTES)
  if (!bytes) return tooLarge(BODY_BYTES)
  await pacing.turn(call.gone)
  const checkedAt = performance.now()
  const checked = checkModelRequest(bytes, model)
  const checkMs = performance.now() - checkedAt
  if (!checked.ok) {
    pacing.refused(bytes.length, checkMs)
    log.warn({ event: 'model.refused', status: checked.status, why: checked.message })
    const type = checked.status === 400 ? 'invalid_request_error' : 'permission_error'
    return { ...checked, type }
  }
  // Checked after the last byte, which may take long to arrive: nothing waits between here and the call. A refused caller waits at the
  // fence, where the attempt's time limit pauses.
  if (!(await awaitLease(call.gone, FENCE.effectMs))) {
    if (!call.gone.aborted) log.warn({ event: 'model.not_leased' })
    return NOT_LEASED
  }
  const known = prefixes.find(checked.body)
  const hold = holdFor(model, behind(known, { bytes: bytes.length, ...checked }), known.cachedTokens)
  const settle = budget.reserve(hold)
  if (!settle) {
    const leftUsd = budget.leftUsd()
    pacing.refused(bytes.length, checkMs)
    return budgetExceeded(hold.usd, leftUsd, affordableTokens(model, hold, leftUsd))
  }
  const { said } = checked
  let reading: Reading | null = null
  const startedAt = performance.now()
  try {
    reading = await callModel(options, call, bytes, () => onTaken(said))
  } finally {
    const leftAfterMs = call.gone.aborted || reading === NOTHING_READ ? performance.now() - startedAt : 0
    settle(charge(options, hold, reading, leftAfterMs))
    if (reading?.usage && !reading.doubtful) known.settle(reading.usage)
    // Free of charge at the model API, but not here.
    if (reading === null && call.response.statusCode >= 400) pacing.refused(bytes.length, checkMs)
  }
  return null
}

type Size = Parameters<typeof holdFor>[1]

/** The part of a body that the model API does not have in its cache. */
function behind(known: Prefix, { bytes, images, imageBytes, maxTokens }: Size): Size {
  return { bytes: bytes - known.bytes, images: images - known.images, imageBytes: imageBytes - known.imageBytes, maxTokens }
}

/** Reports the usage of the call. @returns its cost, US dollars */
function charge({ model, emit }: ModelOptions, hold: Hold, reading: Reading | null, leftAfterMs: number): number {
  const charged = reading && chargeFor(hold, reading, leftAfterMs)
  if (!charged) return 0
  const { usage, estimated } = charged
  const cost = costUsd(model, usage)
  const tokens = {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
  }
  emit({ type: 'usage.counted', data: { ...tokens, costUsd: cost, model, estimated } })
  return cost
}
