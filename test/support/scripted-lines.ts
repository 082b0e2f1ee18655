import type { AgentLine } from '../../contract/sandbox.ts'
import type { Step } from './scripted-sandbox.ts'

/** What a scripted sandbox says, one line each. */
export const say = (line: AgentLine | string | null): Step => ({ say: line })
export const text = (words: string) => say({ type: 'text.written', data: { text: words } })
export const turnStarted = say({ type: 'turn.started', data: { turn: 1, model: 'm' } })
export const turnEnded = (outcome: 'completed' | 'failed' | 'interrupted', reason: 'done' | 'stuck' | 'runner_stopped') =>
  say({ type: 'turn.ended', data: { turn: 1, outcome, reason, summary: 's', message: null, diff: null } })
export const toolStarted = say({ type: 'tool.started', data: { callId: 'c', name: 'bash', title: 't', input: {} } })
