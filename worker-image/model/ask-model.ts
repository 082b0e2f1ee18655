import type { ApiUsage } from '../../contract/shared/models.ts'
import { MODEL_CALL, MODEL_WAIT_MS } from '../../contract/wire/deadlines.ts'
import { type End, endOf, failed, parked } from '../../contract/wire/end.ts'
import type { LeaseState } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import { type Answer, createAnswerReader } from './model-answer.ts'
import type { ModelClient, ModelRequest } from './model-client.ts'
import { classify, type Fault, isUnconfirmed, StallError } from './model-errors.ts'
import { type ModelWaiting, nextTry, type WaitTiming, waitReasonOf } from './model-waits.ts'

/** All waits of a model call, milliseconds; tests make them short. */
export type ModelTiming = WaitTiming & {
  /** Until the first byte of an answer. */
  firstByteMs: number
  /** Between two bytes. */
  silenceMs: number
  /** Between two events of the stream; pings are none. */
  eventMs: number
}
export const TIMING: ModelTiming = {
  firstByteMs: MODEL_CALL.firstByteMs,
  silenceMs: MODEL_CALL.nextByteMs,
  eventMs: MODEL_CALL.nextEventMs,
  backoffMs: 1000,
  maxBackoffMs: 60_000,
  parkAfterMs: MODEL_WAIT_MS,
}

const MAX_GARBLED = 2
/** How often, for one answer, a broken way to the gateway is no matter for the person. The forwarder waits for a door that is closed. */
const MAX_DOOR = 3
const DOOR_AGAIN_MS = 100

export type AskOptions = Omit<ModelWaiting, 'parkAfterMs'> & {
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
  /** Changes a conversation that the API refused. @returns false if there is nothing left to change */
  repair: (error: string) => Promise<boolean>
  /** Waits for a coordinator that is away. */
  awaitLease: () => Promise<LeaseState>
  log: Log
}

/** `cut`: the text of an answer that the signal stopped, as far as the person has read it; empty if there was none. */
export type AskResult = { ok: true; answer: Answer } | { ok: false; end: End; cut?: string }

/**
 * Gets one complete answer, in several tries if necessary. A try that breaks off is dropped completely: nothing of it reaches the
 * conversation, and none of its calls runs. Only what a person's cancel or the time limit stops is handed over, as text.
 */
export async function askModel(options: AskOptions): Promise<AskResult> {
  const { signal, timing, log } = options
  let tries = 0
  let failingSince = 0
  let garbled = 0
  let brokenDoors = 0
  let affordable: number | null = null
  for (;;) {
    if (signal.aborted) return { ok: false, end: endOf(signal) }
    const request = options.request()
    if ('outcome' in request) return { ok: false, end: request }
    const tried = await tryOnce(affordable === null ? request : withAtMost(request, affordable), options)
    if ('answer' in tried) return { ok: true, answer: tried.answer }
    if (signal.aborted) return { ok: false, end: endOf(signal), cut: tried.text }
    options.onDiscard()
    // Not a try: the gateway did not ask the model.
    if (isUnconfirmed(tried.error) && (await options.awaitLease()).lease === 'current') continue
    const fault = classify(tried.error)
    log('model.failed', { ...fault, tries })
    if (fault.kind === 'final') return { ok: false, end: failed(fault.reason, fault.message) }
    if (fault.kind === 'costly') {
      if (affordable !== null) return { ok: false, end: failed('budget_exceeded', fault.message) }
      affordable = fault.maxTokens
      continue
    }
    if (fault.kind === 'refused') {
      if (await options.repair(fault.message)) continue
      return { ok: false, end: failed('model_request_invalid', fault.message) }
    }
    if (fault.kind === 'door' && ++brokenDoors <= MAX_DOOR) {
      await pause(DOOR_AGAIN_MS, signal)
      continue
    }
    if (fault.kind === 'garbled' && ++garbled > MAX_GARBLED) return { ok: false, end: failed('protocol_error', fault.message) }
    tries += 1
    if (tries === 1) failingSince = performance.now()
    const next = nextAfter(fault, { tries, sinceMs: performance.now() - failingSince }, timing)
    if (next.type === 'park') return { ok: false, end: parked(fault.message, next.until) }
    const until = new Date(Date.now() + next.ms).toISOString()
    options.onWaiting({ reason: waitReasonOf(tried.error), attempt: tries, until })
    await pause(next.ms, signal)
  }
}

function withAtMost(request: ModelRequest, maxTokens: number): ModelRequest {
  return { ...request, max_tokens: Math.min(request.max_tokens, maxTokens) }
}

function nextAfter(fault: Fault, failures: { tries: number; sinceMs: number }, timing: ModelTiming) {
  const retryAfterMs = fault.kind === 'retry' ? fault.retryAfterMs : null
  return nextTry({ ...failures, retryAfterMs, now: Date.now(), random: Math.random() }, timing)
}

async function tryOnce(
  request: ModelRequest,
  options: AskOptions,
): Promise<{ answer: Answer } | { error: unknown; text: string }> {
  const { client, signal, timing, onText, onUsage, onAnswering } = options
  const reader = createAnswerReader(onText)
  const watchdog = startWatchdog(timing)
  try {
    const events = await client(request, { signal: AbortSignal.any([signal, watchdog.signal]), onBytes: watchdog.beat })
    for await (const event of events) {
      watchdog.event()
      onAnswering()
      reader.add(event)
    }
    // The SDK ends an aborted stream as if it were whole.
    if (watchdog.signal.aborted) throw watchdog.signal.reason
    const answer = reader.finish()
    onUsage(answer.usage)
    return { answer }
  } catch (error) {
    const usage = reader.estimate()
    if (usage) onUsage(usage)
    return { error: watchdog.signal.aborted ? watchdog.signal.reason : error, text: reader.text() }
  } finally {
    watchdog.stop()
  }
}

/** Ends a call that is silent, and one whose stream is open but brings nothing: its pings count as bytes, not as events. */
function startWatchdog({ firstByteMs, silenceMs, eventMs }: ModelTiming) {
  const controller = new AbortController()
  const bite = (what: string, ms: number) =>
    controller.abort(new StallError(`the model API ${what} for ${Math.round(ms / 1000)} s`))
  let bytes = setTimeout(bite, firstByteMs, 'sent nothing', firstByteMs)
  let events = setTimeout(bite, eventMs, 'kept its answer open and wrote nothing', eventMs)
  return {
    signal: controller.signal,
    beat: () => {
      clearTimeout(bytes)
      bytes = setTimeout(bite, silenceMs, 'sent nothing', silenceMs)
    },
    event: () => {
      clearTimeout(events)
      events = setTimeout(bite, eventMs, 'kept its answer open and wrote nothing', eventMs)
    },
    stop: () => {
      clearTimeout(bytes)
      clearTimeout(events)
    },
  }
}
