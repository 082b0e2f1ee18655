import { type ApiUsage, costUsd, promptUsage, ratesFor, WRITTEN_BYTES_PER_TOKEN } from '../../../contract/shared/models.ts'
import type { Money } from '../../../contract/wire/sandbox.ts'
import type { Reading } from './usage-meter.ts'

/** The most that a call may cost: the money that the budget holds before the call is made. */
export type Hold = {
  /** Of the prompt, without `cachedTokens`. */
  inputTokens: number
  maxOutputTokens: number
  usd: number
  /** What the model API will read from its cache; absent: nothing. */
  cachedTokens?: number
}

export type Budget = {
  /**
   * Holds the money, so that two calls cannot both take the last dollar.
   * @returns a function to call once with the true cost; null if the money is not there
   */
  reserve: (hold: Hold) => ((costUsd: number) => void) | null
  /** Neither spent nor held, US dollars; never below 0. */
  leftUsd: () => number
  money: () => Money
}

/** The error of floating-point sums is smaller than this. It must not refuse a call that fits exactly. */
const ROUNDING_USD = 1e-9
const ROUNDING_TOKENS = 1e-6

/**
 * The money of one attempt, US dollars.
 * @param limit a function if a person may raise it while the attempt runs
 * @param spent what the attempt has spent already
 */
export function createBudget(limit: number | (() => number), spent = 0): Budget {
  const limitUsd = typeof limit === 'number' ? () => limit : limit
  let held = 0
  return {
    reserve: (hold) => {
      if (spent + held + hold.usd > limitUsd() + ROUNDING_USD) return null
      held += hold.usd
      return (cost) => {
        held -= hold.usd
        spent += cost
      }
    },
    leftUsd: () => Math.max(0, limitUsd() - spent - held),
    money: () => ({ limitUsd: limitUsd(), spentUsd: spent, heldUsd: Math.max(0, held) }),
  }
}

/**
 * The most that a call may cost, at list price. The gateway never changes a body, so it refuses a call that does not fit: when little money
 * is left, the caller must ask for fewer `max_tokens`.
 * @param body.bytes without the part that the model API has in its cache; `imageBytes`: how many of them are the base64 of `images`
 * @param cachedTokens the size of that part
 */
export function holdFor(
  model: string,
  body: { bytes: number; images: number; imageBytes: number; maxTokens: number },
  cachedTokens = 0,
): Hold {
  const prompt = promptUsage(model, { cachedTokens, bytes: body.bytes - body.imageBytes, images: body.images })
  const usd = costUsd(model, { ...prompt, output_tokens: body.maxTokens })
  const hold = { inputTokens: prompt.input_tokens ?? 0, maxOutputTokens: body.maxTokens, usd }
  return cachedTokens > 0 ? { ...hold, cachedTokens } : hold
}

/** The highest `max_tokens` with which the same prompt would fit into `leftUsd`; 0 when it would never fit. */
export function affordableTokens(model: string, hold: Hold, leftUsd: number): number {
  const prompt = promptOf(hold)
  const rates = ratesFor(model, hold.inputTokens + (hold.cachedTokens ?? 0))
  return Math.max(0, Math.floor(((leftUsd - costUsd(model, prompt)) * 1e6) / rates.output + ROUNDING_TOKENS))
}

/** The highest speed of any model. */
const TOKENS_PER_SECOND = 100

/**
 * What a call is charged with, given what was seen of its answer. `null`: nothing. A whole answer reports its own usage; if it reports none,
 * or one that no call can have, it is charged what was held. One that was cut is charged for its prompt (as the answer reported it,
 * otherwise as it was held) and for what was written, by its length: an unknown cost counts against the budget, never for it.
 * @param leftAfterMs how long the call lasted when its caller left; 0 when it did not. Except while text passed here, the model may have
 *   written what nobody saw (an answer in one piece, hidden thinking), and a caller that asks for that and leaves must not get it for free.
 */
export function chargeFor(hold: Hold, reading: Reading, leftAfterMs = 0): { usage: ApiUsage; estimated: boolean } | null {
  const { usage, whole, failed, doubtful = false, visibleMs = 0 } = reading
  const believed = doubtful || usage?.input_tokens == null ? null : usage
  if (whole && believed?.output_tokens != null) return { usage: believed, estimated: false }
  if (whole) return { usage: { ...(believed ?? promptOf(hold)), output_tokens: hold.maxOutputTokens }, estimated: true }
  if (failed && !usage && !doubtful) return null
  const known = believed ?? promptOf(hold)
  const unseen = (Math.max(0, leftAfterMs - visibleMs) / 1000) * TOKENS_PER_SECOND
  const seen = reading.writtenBytes / WRITTEN_BYTES_PER_TOKEN
  const written = Math.min(hold.maxOutputTokens, Math.ceil(visibleMs > 0 ? unseen + seen : Math.max(unseen, seen)))
  return { usage: { ...known, output_tokens: Math.max(known.output_tokens ?? 0, written) }, estimated: true }
}

function promptOf({ inputTokens, cachedTokens = 0 }: Hold): ApiUsage {
  return cachedTokens > 0 ? { input_tokens: inputTokens, cache_read_input_tokens: cachedTokens } : { input_tokens: inputTokens }
}
