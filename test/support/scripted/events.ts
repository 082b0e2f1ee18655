import type { NewEvent } from '../../../contract/api/event.ts'
import type { Outcome } from '../../../contract/api/status.ts'

/** What a runner says last of an attempt. */
export function attemptEnded(outcome: Outcome = 'completed', reason = 'done', message: string | null = null): NewEvent {
  return { type: 'attempt.ended', data: { outcome, reason, message } } as NewEvent
}

export function textWritten(text: string): NewEvent {
  return { type: 'text.written', data: { text } }
}

/** What a gateway reports of a model call. */
export const usage: NewEvent = {
  type: 'usage.counted',
  data: {
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: 1,
    model: 'm',
    estimated: false,
  },
}
