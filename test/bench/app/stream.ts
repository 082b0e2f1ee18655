import { setTimeout } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import type { createHandWork } from '../../support/scripted/hand-work.ts'
import { type Cookies, withPhone } from './phone.ts'
import { answer, END } from './texts.ts'

export const DELTA_CHARS = 30
export const DELTA_EVERY_MS = 75

/**
 * A model writes 8,000 characters of markdown while the task is open, through Redis, the coordinator and the socket.
 * @returns of each delta the milliseconds that the page's main thread worked between its arrival and the next one's, whatever on
 */
export async function stream(
  browser: Browser,
  url: string,
  cookies: Cookies,
  { begin }: Awaited<ReturnType<typeof createHandWork>>,
): Promise<number[]> {
  const task = await begin('Tell me what you found.')
  const measured = await withPhone(browser, { cookies, cpu: 1, slowNetwork: false }, async (page) => {
    await page.addInitScript(MARK_DELTAS)
    const watching = new Promise<void>((resolve) => {
      page.on('websocket', (line) => line.on('framereceived', ({ payload }) => IS_WATCHING.test(String(payload)) && resolve()))
    })
    await page.goto(`${url}/task/${task.id}`, { waitUntil: 'networkidle' })
    await watching
    // The first words bring what lays markdown out; that is a load, and no delta's cost.
    await task.sayDelta(0, 'I begin.\n\n')
    await page.locator('.live-text .prose:not(.plain)').waitFor()
    await browser.startTracing(page, { categories: ['blink.user_timing', 'disabled-by-default-devtools.timeline'] })
    await write(task.sayDelta, page)
    return costs(JSON.parse((await browser.stopTracing()).toString()))
  })
  await task.end()
  return measured
}

/** What the server answers to a watch; only who watches is sent deltas. */
const IS_WATCHING = /^43\d+\[\{"ok":true,"lastSeq"/

async function write(say: (offset: number, text: string) => Promise<void>, page: Page): Promise<void> {
  const text = answer()
  const begun = performance.now()
  const first = 'I begin.\n\n'.length
  for (let at = 0, n = 0; at < text.length; at += DELTA_CHARS, n++) {
    await say(first + at, text.slice(at, at + DELTA_CHARS))
    await setTimeout(Math.max(0, begun + (n + 1) * DELTA_EVERY_MS - performance.now()))
  }
  await page.locator('.live-text', { hasText: END.trim() }).waitFor()
}

/** Before the app's own listener hears of a delta, its arrival is noted in the trace. */
const MARK_DELTAS = `
  const { addEventListener } = WebSocket.prototype
  const mark = ({ data }) => { if (typeof data === 'string' && data.startsWith('42["delta"')) performance.mark('delta') }
  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given)
      addEventListener.call(this, 'message', mark)
    }
  }`

/** Times in microseconds; `tdur` is what the thread itself worked, without what other programs took of the processor. */
type TraceEvent = { name: string; ph: string; pid: number; tid: number; ts: number; dur?: number; tdur?: number }

/**
 * @param trace of one page, with its marks `delta`
 * @returns of each mark the milliseconds that its thread worked from the one that holds it to the one that holds the next mark
 */
export function costs({ traceEvents }: { traceEvents: TraceEvent[] }): number[] {
  const marks = traceEvents.filter(({ name, ph }) => name === 'delta' && ph !== 'M').sort((a, b) => a.ts - b.ts)
  const [first] = marks
  if (!first) throw new Error('no delta is in the trace')
  const tasks = traceEvents.filter(
    ({ name, pid, tid, dur }) => name === 'RunTask' && dur !== undefined && pid === first.pid && tid === first.tid,
  )
  if (tasks.length === 0) throw new Error('no task of the main thread is in the trace')
  const sums = marks.map(() => 0)
  for (const { ts, dur = 0, tdur = dur } of tasks) {
    const at = marks.findLastIndex((mark) => mark.ts <= ts + dur)
    if (at >= 0) sums[at] = (sums[at] ?? 0) + tdur / 1_000
  }
  return sums
}
