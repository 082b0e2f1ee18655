import type { NewEvent } from '../../../contract/api/event.ts'
import type { AgentLine } from '../../../contract/wire/sandbox.ts'
import type { Step } from './scripted-sandbox.ts'

/** What a scripted sandbox says, one line each. */
export function say(line: AgentLine | string | null): Step {
  return { say: line }
}
export function text(words: string) {
  return say({ type: 'text.written', data: { text: words } })
}
export const turnStarted = say({ type: 'turn.started', data: { turn: 1, model: 'm' } })
export function turnEnded(outcome: 'completed' | 'failed' | 'interrupted', reason: 'done' | 'stuck' | 'runner_stopped') {
  return say({ type: 'turn.ended', data: { turn: 1, outcome, reason, summary: 's', message: null, diff: null } })
}
export const toolStarted = say({ type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } })
/** What a gateway says of a model call. */
export const usage: NewEvent = {
  type: 'usage.counted',
  data: {
    ...{ inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
    ...{ costUsd: 1, model: 'm', estimated: false },
  },
}
