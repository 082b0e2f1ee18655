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
export function turnEnded(outcome: 'completed' | 'failed' | 'interrupted', reason: 'done' | 'stuck' | 'runner_stopped') {
  return print({ type: 'turn.ended', data: { turn: 1, outcome, reason, summary: 's', message: null, diff: null } })
}
export const toolStarted = print({ type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } })
