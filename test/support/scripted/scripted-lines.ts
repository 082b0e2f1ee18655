import type { DiffStat, NewEvent } from '../../../contract/api/event.ts'
import type { Outcome } from '../../../contract/api/status.ts'
import type { AgentLine } from '../../../contract/wire/sandbox.ts'
import type { Step } from './scripted-sandbox.ts'

/** What a scripted sandbox prints, one line each. */
export function print(line: AgentLine | string | null): Step {
  return { print: line }
}
export function text(words: string) {
  return print({ type: 'text.written', data: { text: words } })
}
export const turnStarted = print({ type: 'turn.started', data: { turn: 1, model: 'm' } })
export function turnEnded(
  outcome: 'completed' | 'failed' | 'interrupted',
  reason: 'done' | 'stuck' | 'runner_stopped',
  diff: DiffStat | null = null,
) {
  return print({ type: 'turn.ended', data: { turn: 1, outcome, reason, summary: 's', message: null, diff } })
}
export const toolStarted = print({ type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } })

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
