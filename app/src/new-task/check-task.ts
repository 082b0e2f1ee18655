import type { LIMITS } from '../../../contract/api/limits.ts'
import { words } from '../words.ts'
import { readBudget } from './read-budget.ts'

export const MAX_PROMPT: (typeof LIMITS)['promptChars'] = 100_000

type Faults = { repository: string | null; prompt: string | null; budget: string | null }

/** What the server would refuse anyway, said before it is sent. An empty budget is the default. */
export function checkTask({ prompt, repository, budget }: { prompt: string; repository: string; budget: string }): Faults {
  return {
    repository: repository.trim() === '' ? words.create.noRepository : null,
    prompt:
      prompt.trim() === ''
        ? words.create.noPrompt
        : prompt.length > MAX_PROMPT
          ? words.create.tooLong(MAX_PROMPT.toLocaleString())
          : null,
    budget: budget.trim() === '' || readBudget(budget) !== null ? null : words.create.budgetWrong,
  }
}
