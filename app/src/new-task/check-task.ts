import type { CreateTask } from '../../../contract/api/api.ts'
import type { LIMITS } from '../../../contract/api/limits.ts'
import type { Effort } from '../../../contract/shared/models.ts'
import { words } from '../text/words.ts'
import type { Options } from './task-options.tsx'

export const MAX_PROMPT: (typeof LIMITS)['promptChars'] = 100_000

const MAX_BUDGET_USD = 1000

type Faults = { repository: string | null; prompt: string | null; budget: string | null }

/** Finds what the server would refuse, before the task is sent. An empty budget means the default. */
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

/** The form as a request; it has passed {@link checkTask}. */
export function asTask({
  prompt,
  repository,
  options: { branch, model, effort, budget },
}: {
  prompt: string
  repository: string
  options: Options
}): Omit<CreateTask, 'clientId'> {
  const budgetUsd = readBudget(budget)
  return {
    repoUrl: repository.trim(),
    prompt,
    ...(branch.trim() && { baseBranch: branch.trim() }),
    ...(model && { model }),
    ...(isEffort(effort) && { effort }),
    ...(budgetUsd !== null && { budgetUsd }),
  }
}

function isEffort(text: string): text is Effort {
  return text === 'low' || text === 'medium' || text === 'high'
}

/** @returns typed text as US dollars; null if it is no budget the server accepts */
export function readBudget(text: string): number | null {
  const usd = text.trim() === '' ? Number.NaN : Number(text.trim().replace(',', '.'))
  return usd > 0 && usd <= MAX_BUDGET_USD ? usd : null
}
