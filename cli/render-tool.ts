import type { EventData } from '../contract/event.ts'
import { clean, clip, duration, type Look, paint } from './layout.ts'

type Ended = EventData<'tool.ended'>
type Input = Record<string, unknown>

/** Lines of output that are shown of a call that went well, and of one that failed. */
const SHOWN = { ok: 4, failed: 14 }

/** A finished tool call: what, how it went, how long, and the end of its output or the change that it made. */
export const renderTool = (title: string, input: unknown, ended: Ended, look: Look): string[] => {
  const given: Input = typeof input === 'object' && input !== null ? (input as Input) : {}
  const failed = !ended.ok || (ended.exitCode ?? 0) !== 0
  const body = failed || ended.name === 'bash' ? outputLines(ended, failed, look) : changeLines(ended.name, given, look)
  const head = headOf(ended, failed, look, describe(ended.name, given, title))
  return [head, ...body.map((line) => `    ${line}`), ...(body.length > 0 ? [''] : [])]
}

/** The call on one line, also while it runs. */
export const describe = (name: string, input: unknown, title: string): string => {
  const given: Input = typeof input === 'object' && input !== null ? (input as Input) : {}
  if (name === 'bash' && typeof given.command === 'string') return `$ ${clean(given.command)}`
  if (name === 'todo') return planOf(given) ?? clean(title)
  if (typeof given.file_path === 'string') return `${name} ${withoutWorkspace(clean(given.file_path))}`
  return clean(title) || name
}

const headOf = ({ exitCode, durationMs }: Ended, failed: boolean, look: Look, what: string): string => {
  const mark = failed ? paint(look, 'red', '✗') : paint(look, 'green', '✓')
  const end = failed ? (exitCode ? `exit ${exitCode} · ` : 'failed · ') : ''
  const tail = `  ${end}${duration(durationMs)}`
  return `${mark} ${paint(look, 'bold', clip(what, look.width - 2 - tail.length))}${paint(look, failed ? 'red' : 'dim', tail)}`
}

/** The end of the output: that is where results and errors are. Stack frames of the runtime itself tell nothing. */
const outputLines = ({ output, outputBytes }: Ended, failed: boolean, look: Look): string[] => {
  const lines = clean(output)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s+at .*\(?(node:|.*\/node_modules\/)/.test(line))
  const shown = lines.slice(-(failed ? SHOWN.failed : SHOWN.ok))
  const left = lines.length - shown.length
  const more = left > 0 ? [paint(look, 'dim', `… ${left} lines above, ${size(outputBytes)} in all`)] : []
  return [...more, ...shown.map((line) => paint(look, 'dim', clip(line, look.width - 4)))]
}

const changeLines = (name: string, input: Input, look: Look): string[] => {
  if (name !== 'edit' || typeof input.old_string !== 'string' || typeof input.new_string !== 'string') return []
  const { removed, added } = changed(clean(input.old_string).split('\n'), clean(input.new_string).split('\n'))
  const line = (sign: string, format: 'red' | 'green') => (text: string) =>
    paint(look, format, clip(`${sign} ${text}`, look.width - 4))
  const lines = [...removed.map(line('-', 'red')), ...added.map(line('+', 'green'))]
  const most = SHOWN.failed
  return lines.length > most ? [...lines.slice(0, most), paint(look, 'dim', `… ${lines.length - most} more lines`)] : lines
}

/** What is left of both when the lines that they begin and end with alike are taken away. */
const changed = (before: string[], after: string[]): { removed: string[]; added: string[] } => {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  return { removed: before.slice(start, before.length - end), added: after.slice(start, after.length - end) }
}

const planOf = ({ items }: Input): string | null => {
  if (!Array.isArray(items)) return null
  const steps = items as { text?: unknown; status?: unknown }[]
  const finished = steps.filter((item) => item.status === 'completed' || item.status === 'done').length
  const current = steps.find((item) => item.status === 'in_progress')
  return `plan ${finished}/${steps.length}${current ? ` · ${clean(String(current.text ?? ''))}` : ''}`
}

/** `/workspace/repository/src/a.js` is `src/a.js` to a reader. */
const withoutWorkspace = (path: string): string => path.replace(/^\/workspace\/[^/]+\//, '')

const size = (bytes: number): string =>
  bytes < 1024 ? `${bytes} B` : bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`
