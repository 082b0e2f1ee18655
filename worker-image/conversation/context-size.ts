import { type ApiUsage, estimateTokens, MODELS } from '../../contract/shared/models.ts'

/** The size of a request: bytes of its JSON without images, the number of images, and the bytes of their base64. */
export type RequestSize = { bytes: number; images: number; imageBytes: number }

/** The lengths of a conversation at which something happens, tokens. */
export type ContextLimits = {
  /** The model hears that the conversation will be summarised. */
  warnAt: number
  /** It is summarised, once the model has answered the warning. */
  compactAt: number
  /** It is summarised at once: the next answer might not fit any more. */
  fullAt: number
}

/** A prompt that is longer costs more than its memory is worth, even when most of it is read from the cache. */
const COST_BOUND_TOKENS = 250_000
/** For a model that is not in the table. */
const SMALLEST_WINDOW = 200_000
const BYTES_PER_TOKEN = 4

/** Pure. Three quarters of the model's window, or the bound of its cost if that comes first. */
export function contextLimits(model: string): ContextLimits {
  const window = MODELS[model]?.contextTokens ?? SMALLEST_WINDOW
  const compactAt = Math.min(window * 0.75, COST_BOUND_TOKENS)
  return { warnAt: compactAt * 0.85, compactAt, fullAt: window * 0.9 }
}

/** Estimates how many tokens the next prompt has: what the API counted at its last answer, and the rest by its bytes. */
export type ContextGauge = {
  /** @param size of the request with that answer at its end */
  counted: (usage: ApiUsage, size: RequestSize) => void
  tokens: (size: RequestSize) => number
  /** The conversation is another one now. */
  reset: () => void
}

export function createContextGauge(model: string): ContextGauge {
  let known: { tokens: number; size: RequestSize } | null = null
  return {
    counted: (usage, size) => {
      const tokens = tokensOf(usage)
      // An API that counts nothing is not believed.
      known = tokens > 0 ? { tokens, size } : null
    },
    tokens: (size) => {
      const base = known ?? { tokens: 0, size: { bytes: 0, images: 0 } }
      const bytes = (size.bytes - base.size.bytes) / BYTES_PER_TOKEN
      const images = estimateTokens(model, { bytes: 0, images: Math.max(0, size.images - base.size.images) })
      return Math.max(0, Math.ceil(base.tokens + bytes + images))
    },
    reset: () => {
      known = null
    },
  }
}

function tokensOf(usage: ApiUsage): number {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = usage
  const parts = [input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens]
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0)
}
