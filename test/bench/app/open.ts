import type { Browser, Page } from 'playwright-core'
import { waitFor } from '../../support/checks/wait.ts'
import { type Cookies, withPhone } from './phone.ts'

/**
 * From the start of the navigation to the frame in which the first task of the list is painted, on a cold cache, 4 times slower CPU
 * and slow 4G. @returns milliseconds
 */
export function firstRow(browser: Browser, url: string, cookies: Cookies): Promise<number> {
  return withPhone(browser, { cookies, cpu: 4, slowNetwork: true }, async (page) => {
    await paintsOn(page, `document.querySelector('[data-row]')`)
    await page.goto(url, { waitUntil: 'commit' })
    return painted(page)
  })
}

/**
 * From the tap in the list to the frame in which the last event stands in the window, laid out, with a composer that takes text, at 4
 * times slower CPU. The list had settled; nothing of a task was loaded before. @returns milliseconds
 */
export function openTask(browser: Browser, url: string, cookies: Cookies, taskId: string): Promise<number> {
  return withPhone(browser, { cookies, cpu: 4, slowNetwork: false }, async (page) => {
    await page.goto(url, { waitUntil: 'networkidle' })
    await paintsOn(page, IS_OPEN, true)
    await page.locator(`a[href="/task/${taskId}"]`).click()
    return painted(page)
  })
}

/** The same from the start of the navigation to the task's own address. @returns milliseconds */
export function openAddress(browser: Browser, url: string, cookies: Cookies, taskId: string): Promise<number> {
  return withPhone(browser, { cookies, cpu: 4, slowNetwork: false }, async (page) => {
    await paintsOn(page, IS_OPEN)
    await page.goto(`${url}/task/${taskId}`, { waitUntil: 'commit' })
    return painted(page)
  })
}

const IS_OPEN = `(() => {
  const { top = Infinity } = document.querySelector('.feed-rows .end')?.getBoundingClientRect() ?? {}
  const composer = document.querySelector('footer textarea, textarea')
  return top < innerHeight && composer && !composer.disabled && !document.querySelector('.feed-rows .prose.plain')
})()`

/** Looks in every frame, and notes the time after the first one that fulfils the condition was painted. */
async function paintsOn(page: Page, condition: string, fromTap = false): Promise<void> {
  const script = `(() => {
    let from = 0
    if (${fromTap}) addEventListener('click', (event) => { from = event.timeStamp }, { capture: true, once: true })
    const look = () => {
      if ((${fromTap} && from === 0) || !(${condition})) return requestAnimationFrame(look)
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => { globalThis.paintedMs = performance.now() - from }
      port2.postMessage(null)
    }
    requestAnimationFrame(look)
  })()`
  if (fromTap) await page.evaluate(script)
  else await page.addInitScript(script)
}

function painted(page: Page): Promise<number> {
  return waitFor('what is to be painted', () => page.evaluate<number | null>('globalThis.paintedMs ?? null'), 60_000, 100)
}
