import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { Me } from '../../../../contract/api/api.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { openPage, signIn, startBrowser } from '../../../support/browser/browser.ts'
import { expectNeverWrong, keepMoments } from '../../../support/browser/feed-moments.ts'
import { rowsInPage, rowsOf } from '../../../support/browser/feed-rows.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type System, startSystem } from '../../../support/systems/system.ts'
import { cutAgainAndAgain } from '../cut-line.ts'

const TURN_MS = 180_000
const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }

let system: System
let browser: Browser
let page: Page

beforeAll(async () => {
  system = await startSystem()
  browser = await startBrowser()
  page = (await openPage(browser, PHONE)).page
  const { body } = await system.api<{ url: string }>('/auth/links', { method: 'POST', body: {} })
  await signIn(page, body.url)
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

async function send(prompt: string): Promise<string> {
  const { body: me } = await system.api<Me>('/api/me')
  const { id } = await system.send({ repoUrl: me.demoRepoUrl, prompt })
  await page.goto(`${system.url}/task/${id}`)
  return id
}

function faults() {
  return axeFaults(page)
}
function isAsWideAsTheWindow() {
  return page.evaluate('document.documentElement.scrollWidth === innerWidth')
}

async function firstCommand(id: string): Promise<string> {
  for (const event of await system.events(id))
    if (event.type === 'tool.started' && event.data.name === 'bash') return event.data.callId
  throw new Error('the task ran no command')
}

/** What {@link expectNeverWrong} must see: one row twice, which is gone before the browser draws. */
const SHOW_TWICE_FOR_A_MOMENT = `(async () => {
  const row = document.querySelector('.feed .prose')
  const copy = row.cloneNode(true)
  row.after(copy)
  await null
  copy.remove()
})()`

describe('the feed of a task on a phone', () => {
  it('shows what the store has, in order and once, at every moment, although each line that comes is cut after 700 ms', async () => {
    // The first screen may still be opening a socket of its own.
    await page.goto('about:blank')
    const watching = await keepMoments(page)
    try {
      const lines = await cutAgainAndAgain(page, 700)
      const id = await send('Fix the failing test.')
      await system.ended(id, TURN_MS)
      const { cut, ended, open, tookMs } = lines.stop()
      // The last line may be younger than 700 ms.
      expect(open).toBeLessThanOrEqual(1)
      expect(ended).toBe(0)
      // A line comes back 750 ms after its cut at the latest, and what a busy machine needs to open it.
      expect(cut).toBeGreaterThanOrEqual(Math.max(3, Math.floor(tookMs / 4_000)))
      // As a browser does when the network is back; without it the client's own pause between two tries has its length.
      await page.evaluate("dispatchEvent(new Event('online'))")
      await page.getByRole('heading', { name: 'Completed', exact: true }).waitFor()
      const events = await system.events(id)
      await waitFor('the page to show what the store has', async () => {
        expect(await rowsInPage(page)).toEqual(rowsOf(events))
        return true
      })
      await expectNeverWrong(page, events)
      await page.evaluate(SHOW_TWICE_FOR_A_MOMENT)
      await expect(expectNeverWrong(page, events)).rejects.toThrow('toEqual')
    } finally {
      await watching.dispose()
    }
  })

  it('folds the work of a turn that is over, opens it to commands and edits, and fits the narrowest phone', async () => {
    await page.reload()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    await page.getByRole('button', { name: /edited 1 file/ }).click()
    await page.locator('.diff-row.add').first().waitFor()
    await page.getByRole('button', { name: /1 failed/ }).click()
    expect(await page.locator('.output').first().textContent()).toContain('ERR_ASSERTION')
    expect(await faults()).toEqual([])
    expect(await isAsWideAsTheWindow()).toBe(true)
  })

  it('never opens again what a person closed', async () => {
    const failed = page.getByRole('button', { name: /1 failed/ })
    await failed.click()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    await page.getByRole('button', { name: /^Worked for/ }).click()
    expect(await failed.getAttribute('aria-expanded')).toBe('false')
  })

  it('keeps what is typed through a reload, and starts the next turn with it', async () => {
    const composer = page.getByLabel('Message to the agent')
    await composer.fill('Add a French greeting.')
    await page.reload()
    await composer.waitFor()
    expect(await composer.inputValue()).toBe('Add a French greeting.')
    await composer.press('Control+Enter')
    await page.getByRole('heading', { name: 'Turn 2' }).waitFor({ state: 'attached' })
    await page.getByRole('button', { name: 'Cancel task' }).waitFor()
    expect(await composer.inputValue()).toBe('')
    expect(await faults()).toEqual([])
    await page.locator('.end').nth(1).waitFor({ timeout: TURN_MS })
  })

  it('shows what changed, and the full output of a command', async () => {
    await page.getByRole('link', { name: 'View changes' }).last().click()
    await page.getByRole('heading', { name: 'Changes' }).waitFor()
    await page.getByRole('button', { name: /part-of-day\.js/ }).click()
    await page.locator('.patch-row.add').first().waitFor()
    expect(await faults()).toEqual([])
    expect(await isAsWideAsTheWindow()).toBe(true)

    const id = /task\/([^/]+)/.exec(page.url())?.[1] ?? ''
    await page.goto(`${system.url}/task/${id}/log/${await firstCommand(id)}`)
    await page.locator('.log-text').waitFor()
    await page.getByLabel('Search output').fill('readme')
    await page.getByText('1 of 1').waitFor()
    expect(await faults()).toEqual([])
    expect(await isAsWideAsTheWindow()).toBe(true)
  })

  it('says of a task that is not there, that it is not', async () => {
    await page.goto(`${system.url}/task/tsk_none`)
    await page.getByText('Task not found').waitFor()
    expect(await faults()).toEqual([])
  })
})
