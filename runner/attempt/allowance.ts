import type { Lease } from '../../contract/wire/lease.ts'

/** What one attempt may spend, US dollars. A person may change the budget of the whole task while the attempt runs. */
export type Allowance = {
  limitUsd: () => number
  /** The budget of the whole task is now this much. A word and a renewal may both tell it. */
  ofTask: (taskBudgetUsd: number) => void
}

/**
 * The lease says what was left for the attempt when it began, and the budget of the whole task at that moment: what the task's budget
 * gains or loses, the attempt gains or loses.
 */
export function createAllowance({ assignment, taskBudgetUsd }: Pick<Lease, 'assignment' | 'taskBudgetUsd'>): Allowance {
  let change = 0
  return {
    limitUsd: () => Math.max(0, assignment.budgetUsd + change),
    ofTask: (usd) => {
      // An older coordinator does not say what the budget was.
      if (taskBudgetUsd !== undefined) change = usd - taskBudgetUsd
    },
  }
}
