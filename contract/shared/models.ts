import * as z from 'zod'

/** US dollars per million tokens, at list price. Absolute rates: the ratios differ by model. */
export type Rates = { input: number; output: number; cacheRead: number; cacheWrite5m: number; cacheWrite1h: number }

/** How much a model thinks and writes before it acts; every model of the table takes each. */
export const EFFORTS = ['low', 'medium', 'high'] as const
export type Effort = (typeof EFFORTS)[number]

export type Model = Rates & {
  /** The most that the model can read, tokens. */
  contextTokens: number
  /** The most that one call may write here, tokens. */
  maxOutputTokens: number
  /** Unless the task says otherwise. */
  effort: Effort
  /** Higher rates for the whole request once the prompt is longer than `aboveTokens`. */
  longPrompt?: Rates & { aboveTokens: number }
}

function rates(input: number, output: number, cacheRead: number, cacheWrite5m: number, cacheWrite1h: number): Rates {
  return {
    input,
    output,
    cacheRead,
    cacheWrite5m,
    cacheWrite1h,
  }
}

/** The models that a task may name. Prices: Anthropic's list of November 2026. */
export const MODELS: Readonly<Record<string, Model>> = {
  'claude-opus-5-5': { ...rates(4, 20, 0.2, 5, 8), contextTokens: 1_000_000, maxOutputTokens: 64_000, effort: 'medium' },
  'claude-fable-5-2': { ...rates(8, 40, 0.2, 10, 16), contextTokens: 1_000_000, maxOutputTokens: 64_000, effort: 'medium' },
  'claude-sonnet-5-5': { ...rates(2, 10, 0.1, 2.5, 4), contextTokens: 1_000_000, maxOutputTokens: 64_000, effort: 'medium' },
  'claude-haiku-5-5': {
    ...rates(0.1, 0.5, 0.01, 0.125, 0.2),
    contextTokens: 200_000,
    maxOutputTokens: 32_000,
    effort: 'medium',
    longPrompt: { ...rates(0.5, 2.5, 0.05, 0.625, 1), aboveTokens: 100_000 },
  },
}

export const DEFAULT_MODEL = 'claude-opus-5-5'

/** A number of tokens that a call can have; far above the window of any model. */
const tokens = z.number().int().nonnegative().max(100_000_000).nullish()

/**
 * The fields of the Messages API's `usage` that cost money. Missing numbers count as 0. A usage that no call can have (negative numbers
 * would give money back) is refused as a whole.
 */
export const ApiUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation: z.object({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens }).nullish(),
})
export type ApiUsage = z.infer<typeof ApiUsage>

/**
 * What a call cost, US dollars at list price. `input_tokens` excludes what was read from or written to the cache, and `output_tokens`
 * includes thinking (docs.claude.com, "Prompt caching"). A model that is not in the table is charged at the highest rates, never at
 * nothing.
 */
export function costUsd(model: string, usage: ApiUsage): number {
  const created = usage.cache_creation_input_tokens ?? 0
  const written1h = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0
  const written5m = usage.cache_creation?.ephemeral_5m_input_tokens ?? Math.max(0, created - written1h)
  const read = usage.cache_read_input_tokens ?? 0
  const input = usage.input_tokens ?? 0
  const rate = ratesFor(model, input + read + written5m + written1h)
  return (
    (input * rate.input +
      (usage.output_tokens ?? 0) * rate.output +
      read * rate.cacheRead +
      written5m * rate.cacheWrite5m +
      written1h * rate.cacheWrite1h) /
    1e6
  )
}

/** Text has 3 to 4 bytes a token. Half of that allows for dense text and for the extra cost of writing to the cache. */
const BYTES_PER_TOKEN = 2
/** The same for what a model wrote before its answer was cut: nothing is added for the cache, and a person should pay about what it cost. */
export const WRITTEN_BYTES_PER_TOKEN = 3
/** The size of an image's base64 does not determine its tokens; the largest image has this many (docs.claude.com, "Vision"). */
const TOKENS_PER_IMAGE = 5_000

/**
 * The most tokens that a prompt can have, computed before it is sent. The gateway holds money for that many, and the agent plans with it.
 * @param prompt.bytes of the request without its images
 */
export function estimateTokens(model: string, { bytes, images }: { bytes: number; images: number }): number {
  const estimate = Math.ceil(bytes / BYTES_PER_TOKEN) + images * TOKENS_PER_IMAGE
  return Math.min(estimate, MODELS[model]?.contextTokens ?? estimate)
}

/**
 * How long an entry of the API's prompt cache is counted on after it was last read or written: less than the five minutes that the API
 * promises (docs.claude.com, "Prompt caching").
 */
export const CACHE_LIFE_MS = 270_000

/** What is known of a prompt before it is sent. `bytes` and `images` are those behind the part that the API has in its cache. */
export type Prompt = { cachedTokens: number; bytes: number; images: number }

/** The most that a prompt can cost as long as the API still has the cached part, as a usage. Gateway and agent both compute it like this. */
export function promptUsage(model: string, { cachedTokens, ...rest }: Prompt): ApiUsage {
  const most = Math.max(0, (MODELS[model]?.contextTokens ?? Number.POSITIVE_INFINITY) - cachedTokens)
  const input = Math.min(estimateTokens(model, rest), most)
  return cachedTokens > 0 ? { input_tokens: input, cache_read_input_tokens: cachedTokens } : { input_tokens: input }
}

/** @param promptTokens the whole prompt, cached or not: it picks the tier */
export function ratesFor(model: string, promptTokens: number): Rates {
  const known = MODELS[model] ?? dearest()
  return known.longPrompt && promptTokens > known.longPrompt.aboveTokens ? known.longPrompt : known
}

function dearest(): Model {
  return Object.values(MODELS).reduce((a, b) => (b.output > a.output ? b : a))
}
