import type { Reason } from '../api/reason.ts'
import type { Outcome } from '../api/status.ts'

/** How a turn or an attempt ended. */
export type End = {
  outcome: Outcome
  reason: Reason
  /** What went wrong, for a person; null when nothing did. */
  message: string | null
  /** When the turn comes back, ISO 8601; only with the reason `model_waiting`. The agent gives it if the API named a time. */
  until?: string | undefined
}

export function completed(reason: 'done' | 'no_changes', message: string | null = null): End {
  return { outcome: 'completed', reason, message }
}

/** The task's own fault: it is not retried. */
export function failed(reason: Reason, message: string): End {
  return { outcome: 'failed', reason, message }
}

export function cancelled(): End {
  return { outcome: 'cancelled', reason: 'cancelled_by_user', message: null }
}

/** Our fault: another attempt takes the turn. */
export function interrupted(reason: Reason, message: string): End {
  return { outcome: 'interrupted', reason, message }
}

/**
 * The model does not answer: the attempt frees its slot, and the queue brings the turn back. It counts neither as the task's fault nor as an
 * interruption.
 * @param until when the API said to come back; null if it named no time
 */
export function parked(message: string, until: Date | null): End {
  return { ...interrupted('model_waiting', message), ...(until && { until: until.toISOString() }) }
}

/** @returns the End with which a signal was aborted */
export function endOf(signal: AbortSignal): End {
  return signal.reason as End
}
