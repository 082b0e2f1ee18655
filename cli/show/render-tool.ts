import { wasCutOff } from '../../contract/api/cut-off.ts'
import type { EventData } from '../../contract/api/event.ts'
import { clean, clip, duration, type Look, paint } from './layout.ts'
import { type Change, changeOf } from './tool-change.ts'

type Ended = EventData<'tool.ended'>

/** Lines that are shown of a call that went well, and of a change or a failure. */
const SHOWN = { few: 8, many: 14 }

/** A call that takes less is as good as instant, unless it is a command. Milliseconds. */
const WORTH_TELLING_MS = 1_000

/** A finished tool call: what, how it went, how long, and the end of its output or the change that it made. */
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

/** The call on one line, also while it runs. */
export function describe(name: string, input: unknown, title: string): string {
  const { command, file_path, items } = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>
  if (name === 'bash' && typeof command === 'string') return `$ ${clean(command)}`
  if (name === 'todo' && Array.isArray(items)) return planOf(items)
  if (typeof file_path === 'string') return `${name} ${withoutWorkspace(clean(file_path))}`
  return clean(title) || name
}

/** The end of the output: that is where results and errors are. */
function outputLines({ output, outputBytes }: Ended, failed: boolean, look: Look): string[] {
  const lines = clean(output)
    .replace(TOLD_OTHERWISE, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !FRAME.test(line))
  const shown = lines.slice(-(failed ? SHOWN.many : SHOWN.few))
  const left = lines.length - shown.length
  const above = left > 0 ? [paint(look, 'dim', `… ${left} lines above, ${size(outputBytes)} in all`)] : []
  return [...above, ...shown.map((line) => paint(look, 'dim', clip(line, look.width - 4)))]
}

/** What the agent's shell says in front of the output, and the line above the output shows already. */
const TOLD_OTHERWISE = /^exit_code: .*\nwall_time: .*\n(?:\(no output\))?/

/** Stack frames of the runtime itself tell nothing. */
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

function planOf(items: { text?: unknown; status?: unknown }[]): string {
  const finished = items.filter((item) => item?.status === 'done').length
  const current = items.find((item) => item?.status === 'doing')
  const now = current ? clean(String(current.text ?? '')) : finished === items.length ? 'all done' : 'next'
  return `plan ${finished}/${items.length} · ${now}`
}

/** `/workspace/repository/src/a.js` is `src/a.js` to a reader. */
function withoutWorkspace(path: string): string {
  return path.replace(/^\/workspace\/[^/]+\//, '')
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`
}
