import { fieldsOf } from '../model/feed-facts.ts'
import { type Call, hasFailed } from '../model/feed-items.ts'
import { visibleMarks } from './format.ts'

export type WorkCounts = { commands: number; edited: number; read: number; other: number; failed: number; running: boolean }

/** Counts the calls of a group; `edited` and `read` count each file once. */
export function countWork(calls: readonly Call[]): WorkCounts {
  const edited = new Set<string>()
  const read = new Set<string>()
  const counts = { commands: 0, other: 0, failed: 0, running: false }
  for (const call of calls) {
    const path = String(fieldsOf(call.input).file_path ?? '')
    if (call.name === 'bash') counts.commands++
    else if (call.name === 'edit' || call.name === 'write') edited.add(path)
    else if (call.name === 'read') read.add(path)
    else counts.other++
    if (hasFailed(call)) counts.failed++
    if (call.ended === null) counts.running = true
  }
  return { ...counts, edited: edited.size, read: read.size }
}

/** The call on one line: the command itself, or the file without the sandbox's folder. */
export function describeCall(call: Call): string {
  return visibleMarks(wordsOf(call))
}

function wordsOf({ name, title, input }: Call): string {
  const { command, file_path } = fieldsOf(input)
  if (name === 'bash' && typeof command === 'string') return command.trim()
  if (typeof file_path === 'string') return file_path.replace(/^\/workspace\/[^/]+\//, '')
  return title || name
}
