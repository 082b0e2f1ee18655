import { type LiveOutput, lastLines } from '../../client/feed.ts'
import type { Task } from '../../contract/api/api.ts'
import type { Delta } from '../../contract/api/event.ts'
import { DEMO_COST } from '../../contract/api/status-words.ts'
import { clean, clip, duration, type Look, money, paint, timeOfDay, wrap } from './layout.ts'
import { describe } from './render-tool.ts'
import type { View } from './view.ts'

/** The text that is being written right now, as far as its pieces arrived, what the running command prints, and the newest account. */
export type LiveText = { attempt: number; text: string; output?: LiveOutput | null; money?: Pick<Task, 'usage' | 'budgetUsd'> }

export const NO_TEXT: LiveText = { attempt: 0, text: '' }

/** Puts a piece in its place. Pieces may be lost on the way; what is missing shows as an ellipsis until the durable text comes. */
export function addDelta(live: LiveText, { attempt, offset, text }: Delta): LiveText {
  const before = attempt === live.attempt ? live.text : ''
  const gap = offset > before.length ? '…'.padEnd(offset - before.length, ' ') : ''
  return { attempt, text: before.slice(0, offset) + gap + text }
}

/** How many lines of a running command's output are shown. */
const OUTPUT_LINES = 4

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/**
 * The lines below everything that is done: the text in the making, the tools that run, and that something is alive.
 * @param now milliseconds since 1970
 * @param rows how many lines there is room for
 */
export function renderLive(view: View, live: LiveText, connected: boolean, now: number, look: Look, rows: number): string[] {
  const text = clean(live.text).trim()
  const spinner = SPINNER[Math.floor(now / 100) % SPINNER.length] ?? ''
  const tools = view.openTools.flatMap((tool) => {
    const time = `  ${duration(now - tool.startedAt)}`
    const line = `${paint(look, 'cyan', spinner)} ${clip(describe(tool.name, tool.input, tool.title), look.width - 2 - time.length)}${paint(look, 'dim', time)}`
    const printed = live.output?.callId === tool.callId ? lastLines(live.output, OUTPUT_LINES) : []
    return [line, ...printed.map((text) => `  ${paint(look, 'dim', clip(clean(text), look.width - 2))}`)]
  })
  const written = text ? wrap(text, look.width).slice(-Math.max(1, rows - tools.length - 1)) : []
  const facts = [
    connected ? activity(view, text !== '', now) : 'connection lost, reconnecting…',
    ...(view.createdAt > 0 ? [duration(Math.max(0, now - view.createdAt))] : []),
    ...cost(view, live.money),
  ]
  return [...written, ...tools, `${paint(look, 'cyan', spinner)} ${paint(look, 'dim', facts.join(' · '))}`].slice(-rows)
}

/** Spent and limit. The account of the summary also has what attempts cost that were given up; the events may be newer. */
function cost({ usage, created }: View, account: LiveText['money']): string[] {
  const spent = Math.max(usage.costUsd, account?.usage.costUsd ?? 0)
  const limit = account?.budgetUsd ?? created?.budgetUsd
  if (spent === 0) return []
  if (created?.demo) return [DEMO_COST]
  return [limit === undefined ? money(spent) : `${money(spent)} of ${money(limit)}`]
}

function activity({ stage, openTools, modelWait, parkedUntil }: View, writing: boolean, now: number): string {
  const until = parkedUntil ?? (modelWait && Date.parse(modelWait.until))
  if (until !== null)
    return now < until ? `waiting for the model until ${timeOfDay(until)} (${duration(until - now)})` : 'asking the model again'
  if (stage === 'waiting') return 'waiting for a runner'
  if (stage === 'starting') return 'starting sandbox'
  if (stage === 'cloning') return 'cloning'
  if (stage === 'closing') return 'finishing'
  if (openTools.length > 0) return 'working'
  return writing ? 'writing' : 'thinking'
}
