import type { Reason } from '../contract/reason.ts'
import type { Outcome } from '../contract/status.ts'

/** How a turn ends, as the agent sees it. Also the `reason` of the AbortSignal that ends one early. */
export type End = {
  outcome: Outcome
  reason: Reason
  /** What went wrong, for a person; null when nothing did. */
  message: string | null
}

export const completed = (reason: 'done' | 'no_changes', message: string | null = null): End => ({
  outcome: 'completed',
  reason,
  message,
})
export const failed = (reason: Reason, message: string): End => ({ outcome: 'failed', reason, message })
export const cancelled = (): End => ({ outcome: 'cancelled', reason: 'cancelled_by_user', message: null })

/** @returns the end that an aborted signal of ours carries */
export const endOf = (signal: AbortSignal): End => signal.reason as End
