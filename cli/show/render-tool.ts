import type { EventData } from '../../contract/api/event.ts'
import { readableOutput, wasCutOff } from '../../contract/api/tool-output.ts'
import { clean, clip, duration, type Look, paint } from './layout.ts'

type Ended = EventData<'tool.ended'>

/** How many lines to show: of a successful call, and of a change or a failure. */
const SHOWN = { few: 8, many: 14 }

/** Shorter calls show no duration, unless they are commands. In milliseconds. */
const WORTH_TELLING_MS = 1_000

/** A finished tool call: its name, result and duration, and the end of its output or its change. */
export function renderTool(title: string, input: unknown, ended: Ended, look: Look): string[] {
  const wentWrong = !ended.ok || (ended.exitCode ?? 0) !== 0
  const isCut = wasCutOff(ended)
  const failed = wentWrong && !isCut
  const change = wentWrong ? null : changeOf(ended.name, input)
  const counts = change ? `  +${change.added.length} −${change.removed.length}` : ''
  const result = failed ? [ended.exitCode ? `exit ${ended.exitCode}` : 'failed'] : isCut ? ['cut off'] : []
  const time = ended.name === 'bash' || ended.durationMs >= WORTH_TELLING_MS ? [duration(ended.durationMs)] : []
  const facts = [...result, ...time].join(' · ')
  const tail = `${counts}${facts && `  ${facts}`}`
  const what = clip(describe(ended.name, input, title), look.width - 2 - tail.length)
  if (ended.name === 'todo' && !failed) return [paint(look, 'dim', `· ${what}`)]
  const mark = failed ? paint(look, 'red', '✗') : isCut ? paint(look, 'dim', '■') : paint(look, 'green', '✓')
  const body = change ? changeLines(change, look) : wentWrong || ended.name === 'bash' ? outputLines(ended, failed, look) : []
  return [
    `${mark} ${paint(look, 'bold', what)}${paint(look, failed ? 'red' : 'dim', tail)}`,
    ...body.map((line) => `    ${line}`),
    ...(body.length > 0 ? [''] : []),
  ]
}

/** The call on one line, finished or running. */
export function describe(name: string, input: unknown, title: string): string {
  const { command, file_path, items } = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>
  if (name === 'bash' && typeof command === 'string') return `$ ${clean(command)}`
  if (name === 'todo' && Array.isArray(items)) return planOf(items)
  if (typeof file_path === 'string') return `${name} ${withoutWorkspace(clean(file_path))}`
  return clean(title) || name
}

/** The end of the output, where results and errors are. */
function outputLines(ended: Ended, failed: boolean, look: Look): string[] {
  const lines = clean(readableOutput(ended))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !FRAME.test(line))
  const shown = lines.slice(-(failed ? SHOWN.many : SHOWN.few))
  const left = lines.length - shown.length
  const above = left > 0 ? [paint(look, 'dim', `… ${left} lines above, ${size(ended.outputBytes)} in total`)] : []
  return [...above, ...shown.map((line) => paint(look, 'dim', clip(line, look.width - 4)))]
}

/** Stack frames of the runtime do not help. */
const FRAME = /^\s+at .*(?:\(|\s)(?:node:|\S*\/node_modules\/)/

function changeLines({ removed, added }: Change, look: Look): string[] {
  const lines = [
    ...removed.map((text) => ['red', `- ${clean(text)}`] as const),
    ...added.map((text) => ['green', `+ ${clean(text)}`] as const),
  ]
  const left = lines.length - SHOWN.many
  const shown = lines.slice(0, SHOWN.many).map(([format, text]) => paint(look, format, clip(text, look.width - 4)))
  return left > 0 ? [...shown, paint(look, 'dim', `… ${left} more lines`)] : shown
}

type Change = { removed: string[]; added: string[] }

/** The lines that an `edit` or `write` call removes and adds, according to its input; null for any other call. */
function changeOf(name: string, input: unknown): Change | null {
  if (typeof input !== 'object' || input === null) return null
  const { old_string, new_string, content } = input as Record<string, unknown>
  if (name === 'write' && typeof content === 'string') return { removed: [], added: content.replace(/\n$/, '').split('\n') }
  if (name !== 'edit' || typeof old_string !== 'string' || typeof new_string !== 'string') return null
  return withoutCommonEnds(old_string.split('\n'), new_string.split('\n'))
}

function withoutCommonEnds(before: string[], after: string[]): Change {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  return { removed: before.slice(start, before.length - end), added: after.slice(start, after.length - end) }
}

function planOf(items: { text?: unknown; status?: unknown }[]): string {
  const finished = items.filter((item) => item?.status === 'done').length
  const current = items.find((item) => item?.status === 'doing')
  const now = current ? clean(String(current.text ?? '')) : finished === items.length ? 'all done' : 'next'
  return `plan ${finished}/${items.length} · ${now}`
}

/** Shortens `/workspace/repository/src/a.js` to `src/a.js`. */
function withoutWorkspace(path: string): string {
  return path.replace(/^\/workspace\/[^/]+\//, '')
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`
}
