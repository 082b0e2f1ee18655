import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { see } from '../../../support/browser/see.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Phone, startPhone } from '../phone.ts'

/** Five megabytes with colours, and a line to be found at the very end. */
const OUTPUT = `${Array.from({ length: 60_000 }, (_, n) => `\u001b[32m${n}\u001b[0m ${'some words of a line '.repeat(4)}`).join('\n')}\nthe needle\n`

let phone: Phone
let page: Page

beforeAll(async () => {
  phone = await startPhone()
  page = await phone.visit()
  await page.route('**/outputs/*', (route) => {
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(route.request().headers().range ?? '') ?? []
    const bytes = Buffer.from(OUTPUT)
    const body = bytes.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
    const contentRange = `bytes ${from}-${Number(from) + body.length - 1}/${bytes.length}`
    return route.fulfill({ status: 206, headers: { 'content-range': contentRange, 'content-type': 'text/plain' }, body })
  })
})
afterAll(() => phone?.stop())

function address() {
  return `${phone.server.url}/task/tsk_1/log/toolu_1`
}

describe('the whole output of a call, five megabytes of it', () => {
  it('is loaded a piece at a time, and what is out of sight is not laid out', async () => {
    await page.goto(address())
    const more = page.locator('.log > .button')
    await more.waitFor()
    await waitFor('all of it', async () => {
      if (await more.isEnabled({ timeout: 1_000 }).catch(() => false)) await more.click({ timeout: 1_000 }).catch(() => {})
      return (await more.count()) === 0
    })
    expect(await page.locator('.log-chunk').count()).toBe(601)
    const first = page.locator('.log-chunk').first()
    expect(await first.locator('.ansi-green').count()).toBe(100)
    const laidOut = await page.evaluate<number>(
      "[...document.querySelectorAll('.log-chunk')].filter((one) => one.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })).length",
    )
    expect(laidOut).toBeLessThan(10)
  })

  it('leads to a word at its end, and fits the narrowest phone', async () => {
    await page.getByLabel('Search output').fill('the NEEDLE')
    await page.locator('.log-search [role=status]', { hasText: '1 of 1' }).waitFor()
    await waitFor('the word in sight', () =>
      page.evaluate<boolean>(
        "[...CSS.highlights.get('log-current')].every((range) => { const { top, bottom } = range.getBoundingClientRect(); return top > 0 && bottom < innerHeight })",
      ),
    )
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  })

  it('is plain where the code that draws colours does not load', async () => {
    await page.route('**/assets/coloured-*.js', (route) => route.abort())
    await page.clock.install()
    await Promise.all([page.waitForEvent('requestfailed'), page.goto(address())])
    await see(page.getByText('1 some words of a line').first())
    // React waits a moment before it replaces what it shows in place of a part.
    await page.clock.runFor(5_000)
    await see(page.getByText('1 some words of a line').first())
    expect([await page.locator('.ansi-green').count(), await page.getByRole('alert').count()]).toEqual([0, 0])
  })
})
