import { setTimeout } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import type { createHandWork } from '../../support/scripted/hand-work.ts'
import { type Cookies, withPhone } from './phone.ts'
import { answer, END } from './texts.ts'
import { costs } from './trace.ts'

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
