import type { Reason } from '../../contract/api/reason.ts'
import type { Outcome } from '../../contract/api/status.ts'

/** How a turn ends, as the agent sees it. Also the `reason` of the AbortSignal that ends one early. */
export type End = {
  outcome: Outcome
  reason: Reason
  /** What went wrong, for a person; null when nothing did. */
  message: string | null
}

export function completed(reason: 'done' | 'no_changes', message: string | null = null): End {
  return {
    outcome: 'completed',
    reason,
    message,
  }
}
export function failed(reason: Reason, message: string): End {
  return { outcome: 'failed', reason, message }
}
export function cancelled(): End {
  return { outcome: 'cancelled', reason: 'cancelled_by_user', message: null }
}

/** @returns the end that an aborted signal of ours carries */
export function endOf(signal: AbortSignal): End {
  return signal.reason as End
}
