import type { EventData, EventType, NewEvent } from '../../../../contract/api/event.ts'
import type { Step } from './tell.ts'

const FOLDER = '/workspace/repository/'
function at<T extends EventType>(second: number, type: T, data: EventData<T>): Step {
  return [second, { type, data } as NewEvent]
}

/** What an agent's turn is made of, in few words. Each call's id is its place: `toolu_` and the second at which it began. */
export const steps = {
  at,
  boot: (second: number, { turn = 1, resumed = false } = {}): Step[] => [
    at(second + 1.1, 'sandbox.ready', { node: 'v24.11.0' }),
    at(second + 2.6, 'repo.cloned', {
      baseBranch: 'main',
      commit: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
      branch: 'b',
      resumed,
    }),
    at(second + 3, 'turn.started', { turn, model: 'claude-opus-5-5' }),
  ],
  text: (second: number, text: string): Step => at(second, 'text.written', { text }),
  used: (second: number, inputTokens: number, outputTokens: number, costUsd: number): Step =>
    at(second, 'usage.counted', {
      inputTokens,
      outputTokens,
      cacheReadTokens: inputTokens * 6,
      cacheWriteTokens: 0,
      costUsd,
      model: 'claude-opus-5-5',
      estimated: false,
    }),
  bash: (second: number, command: string, output: string, { exit = 0, seconds = 0.8, bytes = 0 } = {}): Step[] =>
    call(second, 'bash', command, { command }, { output, exitCode: exit, ok: exit === 0, seconds, bytes }),
  read: (second: number, path: string): Step[] =>
    call(second, 'read', `Read ${path}`, { file_path: FOLDER + path }, { output: '1\timport { test } from "node:test"\n' }),
  edit: (second: number, path: string, old_string: string, new_string: string): Step[] =>
    call(second, 'edit', `Edit ${path}`, { file_path: FOLDER + path, old_string, new_string }, { output: 'Edited.' }),
  write: (second: number, path: string, content: string): Step[] =>
    call(second, 'write', `Write ${path}`, { file_path: FOLDER + path, content }, { output: 'Written.' }),
  /** A call that is not over yet. */
  begin: (second: number, command: string): Step =>
    at(second, 'tool.started', {
      callId: `toolu_${String(second).replace('.', '_')}`,
      name: 'bash',
      title: command,
      input: { command },
    }),
  plan: (second: number, ...items: Array<[text: string, status: 'open' | 'doing' | 'done']>): Step[] =>
    call(second, 'todo', 'Plan', { items: items.map(([text, status]) => ({ text, status })) }, { output: 'Kept.' }),
  blocked: (second: number, host: string): Step =>
    at(second, 'host.blocked', {
      host,
      method: 'CONNECT',
      advice: `The sandbox may not reach ${host}. If the task needs it, ask the administrator of this server to add the host to RUNNER_ALLOWED_HOSTS.`,
    }),
  pushed: (second: number, branch: string): Step =>
    at(second, 'branch.pushed', { branch, commit: '9f2c1d7e5ab04c3d8e6f7a1b2c3d4e5f60718293' }),
  done: (second: number, summary: string, diff: EventData<'turn.ended'>['diff'], turn = 1): Step =>
    at(second, 'turn.ended', { turn, outcome: 'completed', reason: 'done', summary, message: null, diff }),
}

type Result = { output: string; exitCode?: number | null; ok?: boolean; seconds?: number; bytes?: number }

function call(second: number, name: string, title: string, input: unknown, result: Result): Step[] {
  const { output, exitCode = null, ok = true, seconds = 0.1, bytes = 0 } = result
  const callId = `toolu_${String(second).replace('.', '_')}`
  const outputBytes = bytes || Buffer.byteLength(output)
  return [
    at(second, 'tool.started', { callId, name, title: title.slice(0, 300), input }),
    at(second + seconds, 'tool.ended', { callId, name, ok, output, outputBytes, exitCode, durationMs: seconds * 1000 }),
  ]
}
