import type { EventData, ModelWait } from '../../contract/api/event.ts'
import type { Voice } from '../door/voice.ts'
import { CutError, describe, GarbledError, StallError } from './model-errors.ts'

/** The waits of a model call that does not work; milliseconds. */
export type WaitTiming = {
  backoffMs: number
  maxBackoffMs: number
  /** How long an attempt waits in its slot. What takes longer waits in the queue. */
  parkAfterMs: number
}

/** What follows a try that failed: another one after a pause, or the turn frees its slot until the API's time, if it named one. */
export type NextTry = { type: 'pause'; ms: number } | { type: 'park'; until: Date | null }

type Failures = {
  /** Tries that failed in a row, this one included. */
  tries: number
  /** Since the first of them failed. */
  sinceMs: number
  retryAfterMs: number | null
  now: number
  /** 0 to 1 */
  random: number
}

/** The time ends the tries of a slot; this bounds them if each fails at once. */
const MAX_TRIES = 20

/** Pure. Full jitter: a random time up to a bound that doubles. A time that the API named is kept. */
export function nextTry({ tries, sinceMs, retryAfterMs, now, random }: Failures, timing: WaitTiming): NextTry {
  const { backoffMs, maxBackoffMs, parkAfterMs } = timing
  if (retryAfterMs !== null && retryAfterMs > parkAfterMs) return { type: 'park', until: new Date(now + retryAfterMs) }
  const ms = retryAfterMs ?? random * Math.min(maxBackoffMs, backoffMs * 2 ** (tries - 1))
  const isTooMuch = tries >= MAX_TRIES || sinceMs + ms > parkAfterMs
  return isTooMuch ? { type: 'park', until: retryAfterMs === null ? null : new Date(now + retryAfterMs) } : { type: 'pause', ms }
}

/** Pure. @returns what a try ran into, for the person who waits */
export function waitReasonOf(error: unknown): ModelWait {
  if (error instanceof StallError) return 'silent'
  if (error instanceof CutError) return 'unreachable'
  if (error instanceof GarbledError || error instanceof SyntaxError) return 'garbled'
  const { status, type } = describe(error)
  if (status === 529 || type === 'overloaded_error') return 'overloaded'
  if (status === 429 || type === 'rate_limit_error') return 'rate_limited'
  return status === undefined && type === null ? 'unreachable' : 'unavailable'
}

/** What hears of the waits of model calls: before each pause, and when the model answers. */
export type ModelWaiting = {
  onWaiting: (wait: EventData<'model.waiting'>) => void
  onAnswering: () => void
  /** How long the slot is kept for a model that does not answer. */
  parkAfterMs: () => number
}

/**
 * Reports the waits as events: one for each pause, and one when the model answers. The runner closes a wait that never ends in an answer,
 * together with the turn.
 * @param limits.firstMs until the model has answered once
 */
export function createModelWaiting(
  voice: Pick<Voice, 'emit'>,
  limits: { parkAfterMs: number; firstMs: number | undefined },
): ModelWaiting {
  let since: number | null = null
  let parkAfterMs = limits.firstMs ?? limits.parkAfterMs
  return {
    parkAfterMs: () => parkAfterMs,
    onWaiting: (data) => {
      since ??= performance.now()
      voice.emit({ type: 'model.waiting', data })
    },
    onAnswering: () => {
      parkAfterMs = limits.parkAfterMs
      if (since === null) return
      const waitedMs = Math.round(performance.now() - since)
      since = null
      voice.emit({ type: 'model.resumed', data: { waitedMs, answered: true } })
    },
  }
}
