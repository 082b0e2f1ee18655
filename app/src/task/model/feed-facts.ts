import type { Usage } from '../../../../contract/api/event.ts'

export type PlanStep = { text: string; status: 'open' | 'doing' | 'done' }

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    costUsd: a.costUsd + b.costUsd,
  }
}

/** The steps that a call of `todo` lists, or null when its input is not what that tool takes. */
export function planOf(input: unknown): PlanStep[] | null {
  const { items } = fieldsOf(input)
  if (!Array.isArray(items)) return null
  return items.map((item) => {
    const { text, status } = fieldsOf(item)
    return { text: String(text ?? ''), status: status === 'done' || status === 'doing' ? status : 'open' }
  })
}

/** The fields of what may be anything: a tool's input is the model's word. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
