import type { Files } from './files.ts'
import { closest, findLoosely } from './match.ts'
import { refused, succeeded, type Tool, type ToolResult } from './tool.ts'

type Input = { file_path: string; old_string: string; new_string: string; replace_all?: boolean }

const CONTEXT_LINES = 4

export function createEdit(files: Files): Tool<Input> {
  return {
    name: 'edit',
    description: [
      'Replaces old_string with new_string in a file that you have read. old_string must match the file exactly, with its indentation',
      'but without the line numbers of read, and must occur only once: include more lines around it if it does not, or set replace_all.',
    ].join(' '),
    schema: {
      type: 'object',
      properties: {
        file_path: { type: 'string', description: 'Absolute, or relative to the repository.' },
        old_string: { type: 'string', description: 'The exact text to replace.' },
        new_string: { type: 'string', description: 'The text to put in its place; empty to delete.' },
        replace_all: { type: 'boolean', description: 'Replace every occurrence; default false.' },
      },
      required: ['file_path', 'old_string', 'new_string'],
      additionalProperties: false,
    },
    title: ({ file_path }) => `Edit ${file_path}`,
    run: async ({ file_path, old_string, new_string, replace_all = false }) => {
      const path = files.resolve(file_path)
      const bytes = await files.load(path)
      const stale = files.staleness(path, bytes)
      if (stale) return refused(stale)
      if (old_string === '') return refused('old_string is empty. To create a file or fill an empty one, use write.')
      if (old_string === new_string) return refused('old_string and new_string are the same: nothing would change.')
      const raw = bytes.toString('utf8')
      if (!Buffer.from(raw).equals(bytes)) return refused(`${path} is not UTF-8 text. Change it with bash.`)
      const form = formOf(raw)
      const change = replaced(form.text, old_string.replaceAll('\r\n', '\n'), new_string.replaceAll('\r\n', '\n'), replace_all)
      if (!change.ok) return refused(`${path}: ${change.problem}`)
      await files.save(path, Buffer.from(form.restore(change.text)))
      return report(path, change)
    },
  }
}

type Change = { ok: true; text: string; at: number; length: number; count: number; note: string } | { ok: false; problem: string }

/** Literal: no character of `replacement` has a special meaning. */
export function replaced(text: string, wanted: string, replacement: string, all: boolean): Change {
  const parts = text.split(wanted)
  const count = parts.length - 1
  const at = parts[0]?.length ?? 0
  if (count === 1 || (all && count > 1))
    return { ok: true, text: parts.join(replacement), at, length: replacement.length, count, note: '' }
  if (count > 1) {
    const lines = parts.slice(0, -1).map((_, index) => lineAt(text, parts.slice(0, index + 1).join(wanted).length))
    return {
      ok: false,
      problem: `old_string occurs ${count} times, at lines ${lines.slice(0, 20).join(', ')}. Include lines around the one you mean, or set replace_all.`,
    }
  }
  const loose = findLoosely(text, wanted, replacement)
  if (loose) {
    const { start, end, replacement: fitted, difference } = loose
    const note = ` old_string was not exact: it differed in ${difference}. Only this passage matched, and it was replaced.`
    return { ok: true, text: text.slice(0, start) + fitted + text.slice(end), at: start, length: fitted.length, count: 1, note }
  }
  return { ok: false, problem: `old_string was not found. ${closest(text, wanted)}` }
}

function report(path: string, change: Extract<Change, { ok: true }>): ToolResult {
  const first = lineAt(change.text, change.at)
  const last = lineAt(change.text, change.at + change.length)
  const lines = change.text.replace(/\n$/, '').split('\n')
  const from = Math.max(1, first - CONTEXT_LINES)
  const shown = lines.slice(from - 1, Math.min(last, first + 40) + CONTEXT_LINES)
  const places = change.count === 1 ? '' : ` (${change.count} places; the first is shown)`
  const view = shown.map((line, index) => `${String(from + index).padStart(6)}\t${line}`).join('\n')
  return succeeded(`Edited ${path}${places}.${change.note} It now reads:\n${view}`)
}

/** A byte order mark and CRLF stay as they were, without the model's knowledge. */
function formOf(raw: string): { text: string; restore: (text: string) => string } {
  const mark = raw.startsWith('\uFEFF') ? '\uFEFF' : ''
  const body = raw.slice(mark.length)
  const crlf = body.includes('\r\n') && !/(?<!\r)\n/.test(body)
  return {
    text: crlf ? body.replaceAll('\r\n', '\n') : body,
    restore: (text) => mark + (crlf ? text.replaceAll('\n', '\r\n') : text),
  }
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
