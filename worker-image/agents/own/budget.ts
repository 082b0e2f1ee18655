import {
  type ApiUsage,
  CACHE_LIFE_MS,
  costUsd,
  MODELS,
  type Prompt,
  promptUsage,
  ratesFor,
} from '../../../contract/shared/models.ts'
import type { Money } from '../../../contract/wire/sandbox.ts'

/** The agent's own count of the attempt's money. The gateway enforces the budget; the agent sees the limit coming and wraps up before it. */
export type Budget = {
  charge: (usage: ApiUsage) => void
  /** Takes over what the gateway counted; a person may have raised the limit. */
  correct: (money: Money) => void
  money: () => { spentUsd: number; limitUsd: number }
  /** @returns what the money allows the next call; null if not even a few last words fit */
  plan: (prompt: { bytes: number; images: number }) => Plan | null
}

export type Plan = {
  /** The most tokens that the next answer may have. */
  maxTokens: number
  /** No other call fits after this one. */
  isLast: boolean
  /** How many more calls like the dearest of the last ones fit, the last one not counted. */
  callsLeft: number
}

/** A useful answer needs at least this; more if the last ones were longer. */
const LEAST_TOKENS = 2_000
const LEAST_MOST_TOKENS = 6_000
/** The last message of a turn: what is kept for it, what it may have, and with how little it is still worth asking for. */
const LAST_TOKENS = 3_000
const LAST_MOST_TOKENS = 16_000
const LAST_LEAST_TOKENS = 500
/** What comes between the last step and the last message, if the results of calls are cut short. */
const BETWEEN_TOKENS = 3_000
/** The JSON around the messages may still grow by this, and so may our notices. */
const MARGIN_BYTES = 1_000
/** An answer comes back as a part of the next prompt, which is estimated at so many tokens for each of the answer. */
const COMES_BACK = 2.5
/** At most this share of the limit is kept in case the cache is lost before the last message, while a long command runs. */
const LOST_CACHE_SHARE = 0.05
/** How many of the last calls say what a call costs. */
const RECENT = 5

/** The last request that the API reported: what it has in its cache of the conversation now, and until when that counts. */
type Known = { tokens: number; bytes: number; images: number; until: number }

export function createBudget(model: string, limit: number, now: () => number = () => performance.now()): Budget {
  let limitUsd = limit
  let spentUsd = 0
  let asked = { bytes: 0, images: 0, at: 0 }
  let known: Known | null = null
  let recent: { usd: number; outputTokens: number }[] = []
  const most = MODELS[model]?.maxOutputTokens ?? 32_000

  const promptFor = ({ bytes, images }: { bytes: number; images: number }): Prompt => {
    // A conversation that became shorter is another one.
    const isKnown = known !== null && known.until > now() && bytes >= known.bytes && images >= known.images
    const { tokens, ...before } = isKnown && known ? known : { tokens: 0, bytes: 0, images: 0 }
    return { cachedTokens: tokens, bytes: bytes - before.bytes + MARGIN_BYTES, images: images - before.images }
  }

  return {
    charge: (usage) => {
      const usd = costUsd(model, usage)
      spentUsd += usd
      recent = [{ usd, outputTokens: usage.output_tokens ?? 0 }, ...recent].slice(0, RECENT)
      const tokens = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
      if (tokens > 0) known = { tokens, bytes: asked.bytes, images: asked.images, until: asked.at + CACHE_LIFE_MS }
    },
    correct: (money) => {
      limitUsd = money.limitUsd
      spentUsd = money.spentUsd + money.heldUsd
    },
    money: () => ({ spentUsd, limitUsd }),
    plan: (size) => {
      asked = { ...size, at: now() }
      const prompt = promptUsage(model, promptFor(size))
      const promptTokens = (prompt.input_tokens ?? 0) + (prompt.cache_read_input_tokens ?? 0)
      const promptUsd = costUsd(model, prompt)
      const left = limitUsd - spentUsd - promptUsd
      const rates = ratesFor(model, promptTokens)
      const kept = keptForLast(model, promptTokens, limitUsd)
      const longest = Math.max(0, ...recent.map(({ outputTokens }) => outputTokens))
      const least = Math.min(LEAST_MOST_TOKENS, Math.max(LEAST_TOKENS, Math.ceil(longest * 1.5)))
      const forWork = Math.floor(((left - kept) * 1e6) / (rates.output + COMES_BACK * rates.input))
      const callUsd = Math.max(promptUsd + (LEAST_TOKENS * rates.output) / 1e6, ...recent.map(({ usd }) => usd))
      const callsLeft = Math.max(0, (left + promptUsd - kept) / callUsd)
      if (forWork >= least) return { maxTokens: Math.min(most, forWork), isLast: false, callsLeft }
      const forWords = Math.floor((left * 1e6) / rates.output)
      return forWords < LAST_LEAST_TOKENS ? null : { maxTokens: Math.min(LAST_MOST_TOKENS, forWords), isLast: true, callsLeft }
    },
  }
}

/** @returns US dollars that the next call must leave for the one after it */
function keptForLast(model: string, promptTokens: number, limitUsd: number): number {
  const words = { input_tokens: BETWEEN_TOKENS, output_tokens: LAST_TOKENS }
  const cached = costUsd(model, { ...words, cache_read_input_tokens: promptTokens })
  const inFull = costUsd(model, { ...words, cache_creation_input_tokens: promptTokens })
  return Math.max(cached, Math.min(inFull, LOST_CACHE_SHARE * limitUsd))
}
