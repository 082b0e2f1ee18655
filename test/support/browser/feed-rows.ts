import type { Page } from 'playwright-core'
import type { EventData, TaskEvent } from '../../../contract/api/event.ts'

/**
 * What the page of a task must show of these events, a line a row: what was said, written, run (with its output, or the lines that it
 * changed), blocked and pushed, and how it ended. It is told from the events alone, without the app's own model of a feed.
 */
export function rowsOf(events: readonly TaskEvent[]): string[] {
  const rows: string[] = []
  const texts = new Map<string, string>()
  const waiting = new Map<string, string>()
  let lastText = ''
  /** Where the way to the newest attempt stands: below what it is to answer. */
  let start = 0
  let cloned = false
  const pushSaid = (text: string) => {
    start = rows.push(`said ${letters(text)}`)
  }
  for (const [index, { type, data }] of events.entries()) {
    if (type === 'message.received') {
      texts.set(data.messageId, data.text)
      if (data.mode === null) pushSaid(data.text)
      else waiting.set(data.messageId, data.text)
    } else if (type === 'message.delivered') {
      const text = texts.get(data.messageId) ?? ''
      // Taken back too late: the agent has it.
      if (!waiting.delete(data.messageId)) rows.splice(rows.lastIndexOf(`withdrew ${letters(text)}`), 1)
      pushSaid(text)
    } else if (type === 'message.withdrawn') {
      if (waiting.delete(data.messageId)) rows.push(`withdrew ${letters(texts.get(data.messageId) ?? '')}`)
    } else if (type === 'attempt.started') cloned = false
    else if (type === 'repo.cloned') cloned = true
    // A turn that was ended before has its beginning told all the same: pairs nest.
    else if (type === 'turn.started') rows.splice(start, 0, ...(cloned ? ['began'] : []))
    else if (type === 'text.written') {
      lastText = letters(data.text)
      if (lastText !== '') rows.push(`wrote ${lastText}`)
    } else if (type === 'note.written') rows.push(`noted ${letters(data.text)}`)
    else if (type === 'tool.started' && data.name !== 'todo') {
      const after = rows.findLastIndex((row) => !row.startsWith('blocked '))
      // A blocked host stands below all the work that it was met in.
      const at = rows[after]?.startsWith('ran ') ? after + 1 : rows.length
      rows.splice(at, 0, `ran ${describe(data)} ${resultOf(data, events.slice(index))}`)
    } else if (type === 'host.blocked') block(rows, `blocked ${data.method} ${data.host}`)
    else if (type === 'context.compacted') rows.push('summarised')
    else if (type === 'branch.pushed') rows.push(`pushed ${data.commit.slice(0, 7)}`)
    else if (type === 'turn.ended') {
      if (![lastText, ''].includes(letters(data.summary))) rows.push(`wrote ${letters(data.summary)}`)
    } else if (type === 'attempt.ended' && data.outcome === 'interrupted') start = rows.push('interrupted')
    else if (type === 'task.ended') rows.push(`ended ${data.status} ${data.branch ?? ''}`.trim())
  }
  return [...rows, ...[...waiting.values()].map((text) => `waits ${letters(text)}`)]
}

/** The rows that the page shows, in order, with all that is earlier loaded and all that is folded opened. Text in the making is one too. */
export async function rowsInPage(page: Page): Promise<string[]> {
  const earlier = page.getByRole('button', { name: /^Show (\d+ )?earlier$/ })
  while (await earlier.count()) await earlier.first().click()
  // What opens may hold more that can be opened.
  const folded = page.locator('.feed-rows [aria-expanded=false]')
  while (await folded.count())
    await folded.evaluateAll((all) => all.forEach((one) => void (one as unknown as { click: () => void }).click()))
  return rowsFrom(await page.evaluate<RawRow[]>(READ_ROWS))
}

/** A row as the page has it: its kind, its text, and more of it. */
export type RawRow = string[]

/** Runs in the page: its rows, in order. */
export const READ_ROWS = `[...document.querySelectorAll('.feed :is(.message, .prose, .call, .blocked, .fact, .end, .work-line)')].map((row) => {
  const text = (selector) => row.querySelector(selector)?.textContent ?? ''
  const lines = (selector) => [...row.querySelectorAll(selector)].map((one) => one.textContent ?? '')
  if (row.matches('.message')) return [row.className.replace('message ', ''), text('.bubble')]
  if (row.matches('.prose')) return [row.closest('.live-text') ? 'writing' : 'wrote', row.textContent ?? '']
  if (row.matches('.call')) return ['ran', text('.call-what'), text('pre.output'), ...lines('.diff-row:not(.same)')]
  if (row.matches('.remark')) return ['noted', row.textContent ?? '']
  if (row.matches('.blocked')) return ['blocked', text('strong'), /(\\d+) times/.exec(row.textContent ?? '')?.[1] ?? '1']
  if (row.matches('.end')) return ['ended', row.className.replace('end ', ''), text('.branch .mono')]
  return [row.matches('.fact') ? 'fact' : 'line', row.textContent ?? '']
})`

export function rowsFrom(raw: readonly RawRow[]): string[] {
  return raw.flatMap(([kind = '', text = '', ...more]) => {
    if (kind === 'delivered') return `said ${letters(text)}`
    if (kind === 'withdrawn') return `withdrew ${letters(text)}`
    if (kind === 'waiting') return `waits ${letters(text)}`
    if (kind === 'wrote' || kind === 'writing' || kind === 'noted') return `${kind} ${letters(text)}`
    if (kind === 'ran') return `ran ${squeezed(text)} ${more.map(squeezed).filter(Boolean).join(' ')}`
    if (kind === 'blocked') return text === 'Interrupted' ? 'interrupted' : `${text.replace('Blocked:', 'blocked')} ×${more[0]}`
    if (kind === 'ended') return `ended ${text} ${more[0]}`.trim()
    if (kind === 'fact' && text.startsWith('Conversation summarised')) return 'summarised'
    if (kind === 'fact') return text.replace('Pushed', 'pushed')
    return /^(.* · )?Started in /.test(text) ? 'began' : []
  })
}

const VERBS: Record<string, string> = { bash: '$', read: 'Read', edit: 'Edit', write: 'Write' }

function describe({ name, title, input }: EventData<'tool.started'>): string {
  const { command, file_path } = input as { command?: string; file_path?: string }
  return squeezed(`${VERBS[name] ?? name} ${command ?? file_path?.replace(/^\/workspace\/[^/]+\//, '') ?? title}`)
}

/** The lines that a call changed; of any other, the end of what it wrote, without the runtime's own frames. */
function resultOf({ callId, name, input }: EventData<'tool.started'>, rest: readonly TaskEvent[]): string {
  const ended = rest.find(({ type, data }) => type === 'tool.ended' && data.callId === callId)?.data as
    | EventData<'tool.ended'>
    | undefined
  const { old_string = '', new_string = '', content } = input as { old_string?: string; new_string?: string; content?: string }
  if ((name === 'edit' || name === 'write') && ended?.ok !== false) {
    const [before, after] = [old_string, content ?? new_string].map((text) => text.replace(/\n$/, '').split('\n'))
    const gone = (before ?? []).filter((line) => line !== '' && !after?.includes(line)).map((line) => squeezed(`−${line}`))
    const come = (after ?? []).filter((line) => !before?.includes(line)).map((line) => squeezed(`+${line}`))
    return [...gone, ...come].join(' ')
  }
  const lines = [ended?.output.trimEnd() ?? '', ended?.note ?? ''].filter(Boolean).join('\n').split('\n')
  const shown = lines.filter((line) => !/^\s+at .*(\(|\s)(node:|\S*\/node_modules\/)/.test(line)).slice(-20)
  return squeezed(shown.join('\n').slice(-4_000))
}

/** The same host again is counted, not said again. */
function block(rows: string[], what: string): void {
  const met = rows.slice(rows.findLastIndex((row) => !row.startsWith('blocked ')) + 1)
  const same = met.find((row) => row.startsWith(`${what} ×`))
  if (same) rows[rows.lastIndexOf(same)] = `${what} ×${Number(same.split('×').at(-1)) + 1}`
  else rows.push(`${what} ×1`)
}

/** Without what markdown makes of a text, and what folds it. */
export function letters(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '')
}
function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
