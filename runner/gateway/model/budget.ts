import { type ApiUsage, BYTES_PER_TOKEN, costUsd, estimateTokens, ratesFor } from '../../../contract/shared/models.ts'
import type { Reading } from './usage-meter.ts'

/** The most that a call may cost: the money that the budget holds before the call is made. */
export type Hold = { inputTokens: number; maxOutputTokens: number; usd: number }

export type Budget = {
  /**
   * Holds the money, so that two calls cannot both take the last dollar.
   * @returns a function to call once with the true cost; null if the money is not there
   */
  reserve: (hold: Hold) => ((costUsd: number) => void) | null
  /** Neither spent nor held, US dollars; never below 0. */
  leftUsd: () => number
}

/** The error of floating-point sums is smaller than this. It must not refuse a call that fits exactly. */
const ROUNDING_USD = 1e-9

/** The money of one attempt. */
export function createBudget(limitUsd: number): Budget {
  let spent = 0
  let held = 0
  return {
    reserve: (hold) => {
      if (spent + held + hold.usd > limitUsd + ROUNDING_USD) return null
      held += hold.usd
      return (cost) => {
        held -= hold.usd
        spent += cost
      }
    },
    leftUsd: () => Math.max(0, limitUsd - spent - held),
  }
}

/**
 * The most that a call may cost, at list price. The gateway never changes a body, so it refuses a call that does not fit: when little money
 * is left, the caller must ask for fewer `max_tokens`.
 * @param body.imageBytes how many of `bytes` are the base64 of its `images`
 */
export function holdFor(model: string, body: { bytes: number; images: number; imageBytes: number; maxTokens: number }): Hold {
  const inputTokens = estimateTokens(model, { bytes: body.bytes - body.imageBytes, images: body.images })
  const usage = { input_tokens: inputTokens, output_tokens: body.maxTokens }
  return { inputTokens, maxOutputTokens: body.maxTokens, usd: costUsd(model, usage) }
}

/** The highest `max_tokens` with which the same prompt would fit into `leftUsd`; 0 when it would never fit. */
export function affordableTokens(model: string, hold: Hold, leftUsd: number): number {
  const rates = ratesFor(model, hold.inputTokens)
  return Math.max(0, Math.floor(((leftUsd - (hold.inputTokens * rates.input) / 1e6) * 1e6) / rates.output))
}

/** The highest speed of any model. */
const TOKENS_PER_SECOND = 100

/**
 * What a call is charged with, given what was seen of its answer. `null`: nothing. A whole answer reports its own usage. One that was cut is
 * charged for its prompt (as the answer reported it, otherwise as it was held) and at least for what was written: an unknown cost counts
 * against the budget, never for it.
 * @param leftAfterMs how long the call lasted when its caller left; 0 when it did not. Until then the model may have written what nobody
 *   saw (an answer in one piece, hidden thinking), and a caller that asks for that and leaves must not get it for free.
 */
export function chargeFor(hold: Hold, reading: Reading, leftAfterMs = 0): { usage: ApiUsage; estimated: boolean } | null {
  if (reading.whole && reading.usage) return { usage: reading.usage, estimated: false }
  if (reading.failed && !reading.usage) return null
  const known = reading.usage ?? { input_tokens: hold.inputTokens }
  const unseen = (leftAfterMs / 1000) * TOKENS_PER_SECOND
  const written = Math.min(hold.maxOutputTokens, Math.ceil(Math.max(unseen, reading.writtenBytes / BYTES_PER_TOKEN)))
  return { usage: { ...known, output_tokens: Math.max(known.output_tokens ?? 0, written) }, estimated: true }
}
