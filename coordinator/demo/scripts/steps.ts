import { cutText } from '../../../contract/shared/characters.ts'
import type { Call, Result, Script } from '../script.ts'

export function bash(command: string, description: string): Call {
  return { name: 'bash', input: { command, description } }
}
export function read(path: string): Call {
  return { name: 'read', input: { file_path: path } }
}
export function write(path: string, content: string): Call {
  return { name: 'write', input: { file_path: path, content } }
}
export function edit(path: string, oldString: string, newString: string): Call {
  return {
    name: 'edit',
    input: { file_path: path, old_string: oldString, new_string: newString },
  }
}

/** The plan so far: every step before `current` is done. */
export function plan(steps: readonly string[], current: number): Call {
  return {
    name: 'todo',
    input: { items: steps.map((text, i) => ({ text, status: i < current ? 'done' : i === current ? 'doing' : 'open' })) },
  }
}

/** The last line of a report on finished work. */
export const SIGNATURE = '(Done by the demo model, which follows a script.)'

/** Quotes the words of a person. */
export function quoted(text: string): string {
  return `“${cutText(text, 200)}”`
}

/** Stands for a result that is missing. */
export const NOTHING: Result = { text: '', isError: true }

type Words = { thinking?: string; text?: string }

/** One answer with calls. */
export function* act(words: Words, ...calls: Call[]): Script<Result[]> {
  const results = yield { text: '', ...words, calls }
  return calls.map((_, i) => results[i] ?? NOTHING)
}

/** One answer with a single call. */
export function* run(words: Words, call: Call): Script<Result> {
  const [result] = yield* act(words, call)
  return result ?? NOTHING
}

/** A file's text without the line numbers that `read` puts in front. */
export function plain({ text, isError }: Result): string {
  return isError ? '' : text.replace(/^ *\d+\t/gm, '')
}

/** One line of a file, by the number that `read` put in front. */
export function lineOf({ text, isError }: Result, line: number): string {
  return (isError ? null : new RegExp(`^ *${line}\\t(.*)$`, 'm').exec(text)?.[1]) ?? ''
}

/** How a run of node:test ended, read from its output. */
export type TestRun = { passed: number; failed: number; failing: { name: string; file: string; line: number } | null }

export function readTestRun({ text }: Result): TestRun {
  const count = (word: string) => Number(new RegExp(`^(?:ℹ|#) ${word} (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  const failing = /^test at (\S+?):(\d+):\d+\s+✖ (.+?)(?: \([\d.]+ms\))?$/m.exec(text)
  const [, file = '', line = '', name = ''] = failing ?? []
  return { passed: count('pass'), failed: count('fail'), failing: failing ? { name, file, line: Number(line) } : null }
}
