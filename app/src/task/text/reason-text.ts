import type { Reason } from '../../../../contract/api/reason.ts'
import { textOfReason } from '../../../../contract/api/reason-texts.ts'

/** @returns the reason in plain words; empty if only a newer server knows it */
export function reasonText(reason: Reason): string {
  return textOfReason(reason)
}

export type Help = 'retry' | 'retry-budget' | 'credentials' | 'bundle'

/** What the user can do about the way a turn ended. */
export function helpFor(reason: Reason): Help[] {
  switch (reason) {
    case 'done':
    case 'no_changes':
      return []
    case 'repository_not_found':
    case 'credentials_refused':
      return ['credentials', 'retry']
    case 'push_refused':
      return ['bundle', 'credentials', 'retry']
    case 'budget_exceeded':
      return ['retry-budget']
    case 'context_exceeded':
    // The message that says how to go on is a better answer than the same work again.
    case 'conflicts_left':
      return []
    default:
      return ['retry']
  }
}
