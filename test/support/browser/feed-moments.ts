import { expect } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { letters, type RawRow, READ_ROWS, rowsFrom, rowsOf } from './feed-rows.ts'

/** From its next load on, the page opens what its feed folds, and keeps the rows of every moment. */
export function keepMoments(page: Page) {
  return page.addInitScript(KEEP_MOMENTS)
}

/**
 * Fails unless the feed was right at every moment since the page was loaded: its rows are those of the first events of the store, and no
 * moment has fewer events than the one before. So a double, a gap, a wrong order or a lost row is seen though it goes away again.
 * @param drafts messages on the page that the store never gets
 */
export async function expectNeverWrong(page: Page, events: readonly TaskEvent[], drafts: readonly string[] = []): Promise<void> {
  const moments = await momentsOf(page)
  const fault = findFault(moments, events, drafts)
  // Shown as a difference, beside the moment before.
  if (fault) expect(fault).toEqual({ ...fault, rows: fault.rowsBefore })
}

/** Fails unless the feed showed the newest rows of the store at every moment since the page was loaded, and more of them each time. */
export async function expectMoreEachTime(page: Page, events: readonly TaskEvent[]): Promise<void> {
  const all = rowsOf(events)
  let least = 0
  for (const rows of await momentsOf(page)) {
    expect(rows).toEqual(all.slice(all.length - Math.max(rows.length, least)))
    least = rows.length
  }
}

async function momentsOf(page: Page): Promise<string[][]> {
  const moments = (await page.evaluate<RawRow[][]>('feedMoments')).map(rowsFrom)
  expect(moments.length).toBeGreaterThan(1)
  return moments
}

type Fault = { moment: number; rows: string[]; rowsBefore: string[]; eventsBefore: number }

function findFault(moments: readonly string[][], events: readonly TaskEvent[], drafts: readonly string[] = []): Fault | null {
  const views = [[], ...events.map((_, index) => rowsOf(events.slice(0, index + 1)))]
  let shown = 0
  for (const [moment, rows] of moments.entries()) {
    // The fewest events that explain the moment leave the most to come.
    const next = views.findIndex((view, count) => count >= shown && fits(rows, view, events.slice(count), drafts))
    if (next < 0) return { moment, rows, rowsBefore: moments[moment - 1] ?? [], eventsBefore: shown }
    shown = next
  }
  return null
}

/** Text that is being written, and messages that are being sent, must be of events to come: else the page shows them twice. */
function fits(
  rows: readonly string[],
  view: readonly string[],
  toCome: readonly TaskEvent[],
  drafts: readonly string[],
): boolean {
  const writing = rows.filter((row) => row.startsWith('writing ')).map(contentOf)
  const settled = rows.filter((row) => !row.startsWith('writing '))
  if (!view.every((row, index) => row === settled[index])) return false
  const unsent = [...drafts, ...toCome.flatMap(({ type, data }) => (type === 'message.received' ? [data.text] : []))].map(letters)
  const extra = settled.slice(view.length)
  const areUnsent = extra.every((row) => row.startsWith('waits ') && unsent.includes(contentOf(row)))
  return areUnsent && new Set(extra).size === extra.length && isToCome(writing.join(''), view, toCome)
}

/** What an attempt was writing when it was ended never comes; that is no text which stands there already. */
function isToCome(writing: string, view: readonly string[], toCome: readonly TaskEvent[]): boolean {
  const texts = toCome.flatMap(({ type, data }) => (type === 'text.written' ? [letters(data.text)] : []))
  if (texts.join('').includes(writing)) return true
  const next = toCome.find(({ type }) => type === 'text.written' || type === 'attempt.ended')
  const written = view.findLast((row) => row.startsWith('wrote ')) ?? ''
  return next?.type === 'attempt.ended' && !contentOf(written).includes(writing)
}

function contentOf(row: string): string {
  return row.slice(row.indexOf(' ') + 1)
}

/** Runs in the page before anything else. React draws a change in one go, so the observer is called between two drawings. */
const KEEP_MOMENTS = `
  window.feedMoments = []
  new MutationObserver(() => {
    if (!/^\\/task\\/[^/]+$/.test(location.pathname)) return
    const folded = document.querySelectorAll('.feed-rows [aria-expanded=false]')
    // Each click draws again, and calls again.
    for (const one of folded) one.click()
    if (folded.length > 0) return
    const rows = ${READ_ROWS}
    if (JSON.stringify(rows) !== JSON.stringify(feedMoments.at(-1))) feedMoments.push(rows)
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['class', 'aria-expanded'] })`
