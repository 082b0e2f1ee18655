import { type ApiUsage, costUsd, estimateTokens, MODELS, ratesFor } from '../../../contract/shared/models.ts'

/** The agent's own count of the task's money. The gateway enforces the budget; the agent sees the limit coming and wraps up before it. */
export type Budget = {
  charge: (usage: ApiUsage) => void
  spentUsd: () => number
  /** The used share of the budget, 0 to 1 or more. */
  usedPart: () => number
  /** @returns the most tokens that the next answer may have; null if the budget does not allow a useful one */
  maxTokens: (prompt: { bytes: number; images: number }) => number | null
}

/** A useful answer needs at least this. */
const LEAST_TOKENS = 2_000
/** The JSON around the messages may still grow by this. */
const MARGIN_BYTES = 200

export function createBudget(model: string, limitUsd: number): Budget {
  let spent = 0
  const most = MODELS[model]?.maxOutputTokens ?? 32_000
  return {
    charge: (usage) => {
      spent += costUsd(model, usage)
    },
    spentUsd: () => spent,
    usedPart: () => (limitUsd > 0 ? spent / limitUsd : 1),
    maxTokens: ({ bytes, images }) => {
      const promptTokens = estimateTokens(model, { bytes: bytes + MARGIN_BYTES, images })
      const left = limitUsd - spent - costUsd(model, { input_tokens: promptTokens })
      const affordable = Math.floor((left * 1e6) / ratesFor(model, promptTokens).output)
      return affordable < LEAST_TOKENS ? null : Math.min(most, affordable)
    },
  }
}
