import type { ApiUsage } from '../../contract/shared/models.ts'
import { MODEL_CALL } from '../../contract/wire/deadlines.ts'
import { type End, endOf, failed } from '../../contract/wire/end.ts'
import type { LeaseState } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import { type Answer, createAnswerReader } from './model-answer.ts'
import type { ModelClient, ModelRequest } from './model-client.ts'
import { classify, isUnconfirmed, StallError } from './model-errors.ts'

/** All waits of a model call, milliseconds; tests make them short. */
export type ModelTiming = {
  /** Until the first byte of an answer. */
  firstByteMs: number
  /** Between two bytes. */
  silenceMs: number
  backoffMs: number
  maxBackoffMs: number
  /** The longest `retry-after` that it waits for. */
  maxRetryAfterMs: number
}
export const TIMING: ModelTiming = {
  firstByteMs: MODEL_CALL.firstByteMs,
  silenceMs: MODEL_CALL.nextByteMs,
  backoffMs: 1000,
  maxBackoffMs: 60_000,
  maxRetryAfterMs: 120_000,
}

const MAX_RETRIES = 8
const MAX_GARBLED = 2

export type AskOptions = {
  client: ModelClient
  /** Called for each try; returns an End if the budget does not allow one. */
  request: () => ModelRequest | End
  signal: AbortSignal
  timing: ModelTiming
  onText: (text: string) => void
  /** Discards what `onText` got since the last complete answer. */
  onDiscard: () => void
  /** Called for every try that cost something, even if it broke off. */
  onUsage: (usage: ApiUsage) => void
  /** Removes earlier thinking from the conversation. */
  stripThinking: () => void
  /** Waits for a coordinator that is away. */
  awaitLease: () => Promise<LeaseState>
  log: Log
}

export type AskResult = { ok: true; answer: Answer } | { ok: false; end: End }

/**
 * Gets one complete answer, in several tries if necessary. A try that breaks off is dropped completely: nothing of it reaches the
 * conversation, and none of its calls runs.
 */
export async function askModel(options: AskOptions): Promise<AskResult> {
  const { signal, timing, log } = options
  let stripped = false
  let retries = 0
  let garbled = 0
  for (;;) {
    if (signal.aborted) return { ok: false, end: endOf(signal) }
    const request = options.request()
    if ('outcome' in request) return { ok: false, end: request }
    const tried = await tryOnce(request, options)
    if ('answer' in tried) return { ok: true, answer: tried.answer }
    if (signal.aborted) return { ok: false, end: endOf(signal) }
    options.onDiscard()
    // Not a try: the gateway did not ask the model.
    if (isUnconfirmed(tried.error) && (await options.awaitLease()).lease === 'current') continue
    const fault = classify(tried.error)
    log('model.failed', { ...fault, retries })
    if (fault.kind === 'final') return { ok: false, end: failed(fault.reason, fault.message) }
    if (fault.kind === 'prefix') {
      if (stripped) return { ok: false, end: failed('model_request_invalid', fault.message) }
      stripped = true
      options.stripThinking()
      continue
    }
    if (fault.kind === 'garbled' && ++garbled > MAX_GARBLED) return { ok: false, end: failed('protocol_error', fault.message) }
    const retryAfterMs = fault.kind === 'retry' ? fault.retryAfterMs : null
    if (retryAfterMs !== null && retryAfterMs > timing.maxRetryAfterMs)
      return {
        ok: false,
        end: failed('model_unavailable', `asked to wait ${Math.round(retryAfterMs / 1000)} s: ${fault.message}`),
      }
    if (++retries > MAX_RETRIES)
      return { ok: false, end: failed('model_unavailable', `${MAX_RETRIES + 1} tries failed: ${fault.message}`) }
    await pause(retryAfterMs ?? backoff(retries, timing), signal)
  }
}

async function tryOnce(request: ModelRequest, options: AskOptions): Promise<{ answer: Answer } | { error: unknown }> {
  const { client, signal, timing, onText, onUsage } = options
  const reader = createAnswerReader(onText)
  const watchdog = startWatchdog(timing)
  try {
    const events = await client(request, { signal: AbortSignal.any([signal, watchdog.signal]), onBytes: watchdog.beat })
    for await (const event of events) reader.add(event)
    // The SDK ends an aborted stream as if it were whole.
    if (watchdog.signal.aborted) throw watchdog.signal.reason
    const answer = reader.finish()
    onUsage(answer.usage)
    return { answer }
  } catch (error) {
    const usage = reader.estimate()
    if (usage) onUsage(usage)
    return { error: watchdog.signal.aborted ? watchdog.signal.reason : error }
  } finally {
    watchdog.stop()
  }
}

/** Full jitter: a random time up to a bound that doubles. */
function backoff(retry: number, { backoffMs, maxBackoffMs }: ModelTiming): number {
  return Math.random() * Math.min(maxBackoffMs, backoffMs * 2 ** (retry - 1))
}

function startWatchdog({ firstByteMs, silenceMs }: ModelTiming) {
  const controller = new AbortController()
  const bite = (ms: number) => controller.abort(new StallError(`the model API sent nothing for ${Math.round(ms / 1000)} s`))
  let timer = setTimeout(bite, firstByteMs, firstByteMs)
  return {
    signal: controller.signal,
    beat: () => {
      clearTimeout(timer)
      timer = setTimeout(bite, silenceMs, silenceMs)
    },
    stop: () => clearTimeout(timer),
  }
}
