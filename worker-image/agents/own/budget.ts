import { type ApiUsage, costUsd, MODELS, ratesFor } from '../../../contract/shared/models.ts'

/** The agent's own view of the task's money. The gateway enforces; the agent sees the end coming, and wraps up before. */
export type Budget = {
  charge: (usage: ApiUsage) => void
  spentUsd: () => number
  /** Part of the budget that is used, 0 to 1 and more. */
  usedPart: () => number
  /** @returns how much the next answer may write, tokens; null when even a short one does not fit any more */
  maxTokens: (prompt: { bytes: number; images: number }) => number | null
}

/** The gateway sets aside as much per call: a denser text than any that is sent here, and the largest image. */
const BYTES_PER_TOKEN = 2
const TOKENS_PER_IMAGE = 5_000
/** Less than this is no room for a useful answer. */
const LEAST_TOKENS = 2_000
/** What the JSON around the messages may still grow by. */
const MARGIN_BYTES = 200

export function createBudget(model: string, limitUsd: number): Budget {
  let spent = 0
  const most = MODELS[model]?.maxOutputTokens ?? 32_000
  const context = MODELS[model]?.contextTokens ?? 200_000
  return {
    charge: (usage) => {
      spent += costUsd(model, usage)
    },
    spentUsd: () => spent,
    usedPart: () => (limitUsd > 0 ? spent / limitUsd : 1),
    maxTokens: ({ bytes, images }) => {
      const promptTokens = Math.min(context, Math.ceil((bytes + MARGIN_BYTES) / BYTES_PER_TOKEN) + images * TOKENS_PER_IMAGE)
      const left = limitUsd - spent - costUsd(model, { input_tokens: promptTokens })
      const affordable = Math.floor((left * 1e6) / ratesFor(model, promptTokens).output)
      return affordable < LEAST_TOKENS ? null : Math.min(most, affordable)
    },
  }
}
