import { type ApiUsage, BYTES_PER_TOKEN, costUsd, estimateTokens, ratesFor } from '../../../contract/shared/models.ts'
import type { Reading } from './usage-meter.ts'

/** The most that a call may come to, as it is set aside before the call is made. */
export type Hold = { inputTokens: number; maxOutputTokens: number; usd: number }

export type Budget = {
  /**
   * Sets the hold aside. Two calls cannot both take the last dollar: what one holds the other does not have.
   * @returns what to call with the true cost, once, when it is known; null when the hold does not fit any more
   */
  reserve: (hold: Hold) => ((costUsd: number) => void) | null
  /** Neither spent nor held, US dollars; not below 0. */
  leftUsd: () => number
}

/** Sums of cents as floating numbers err by less than this; so little must not refuse a call that fits exactly. */
const ROUNDING_USD = 1e-9

/** The ledger of one attempt. */
export function openBudget(limitUsd: number): Budget {
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
 * What a call may cost at most, at list price. The body is never changed here, so a call that does not fit is refused: with little money
 * left it is for the caller to ask for fewer `max_tokens`.
 * @param body.imageBytes how many of `bytes` are the base64 of its `images`
 */
export function holdFor(model: string, body: { bytes: number; images: number; imageBytes: number; maxTokens: number }): Hold {
  const inputTokens = estimateTokens(model, { bytes: body.bytes - body.imageBytes, images: body.images })
  const usage = { input_tokens: inputTokens, output_tokens: body.maxTokens }
  return { inputTokens, maxOutputTokens: body.maxTokens, usd: costUsd(model, usage) }
}

/** The most `max_tokens` with which the same prompt would fit into `leftUsd`; 0 when none would. */
export function affordableTokens(model: string, hold: Hold, leftUsd: number): number {
  const rates = ratesFor(model, hold.inputTokens)
  return Math.max(0, Math.floor(((leftUsd - (hold.inputTokens * rates.input) / 1e6) * 1e6) / rates.output))
}

/** As fast as a model writes. */
const TOKENS_PER_SECOND = 100

/**
 * What a call is charged with, given what was seen of its answer. `null`: nothing. A whole answer says it itself. One that was cut is
 * charged for its prompt (as the answer began to tell it, else as it was held) and for what had been written at least: an unknown cost
 * counts against the budget, never for it.
 * @param leftAfterMs how long the call lasted when its caller left; 0 when it did not. Until then the model may have written what nobody
 *   saw (an answer in one piece, thinking that is not shown): who asks for such and leaves must not have it for nothing.
 */
export function chargeFor(hold: Hold, reading: Reading, leftAfterMs = 0): { usage: ApiUsage; estimated: boolean } | null {
  if (reading.whole && reading.usage) return { usage: reading.usage, estimated: false }
  if (reading.failed && !reading.usage) return null
  const told = reading.usage ?? { input_tokens: hold.inputTokens }
  const unseen = (leftAfterMs / 1000) * TOKENS_PER_SECOND
  const written = Math.min(hold.maxOutputTokens, Math.ceil(Math.max(unseen, reading.writtenBytes / BYTES_PER_TOKEN)))
  return { usage: { ...told, output_tokens: Math.max(told.output_tokens ?? 0, written) }, estimated: true }
}
