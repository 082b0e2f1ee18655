import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { SignInLink } from '../../../../contract/api/api.ts'
import { openPage, startBrowser } from '../../../support/browser/browser.ts'
import { expectNeverWrong, keepMoments } from '../../../support/browser/feed-moments.ts'
import { rowsInPage, rowsOf } from '../../../support/browser/feed-rows.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { expectMended } from '../../../support/systems/demo-task.ts'
import { type System, startSystem } from '../../../support/systems/system.ts'

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const TURN_MS = 180_000

let system: System
let browser: Browser
let page: Page
let id: string

beforeAll(async () => {
  system = await startSystem()
  browser = await startBrowser()
  page = (await openPage(browser, PHONE)).page
  await keepMoments(page)
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

function composer() {
  return page.getByLabel('Message to the agent')
}
function tap(name: string | RegExp) {
  return page.getByRole('button', { name, exact: true }).tap()
}
async function sendMessage(text: string, mode?: 'Steer' | 'Queue') {
  await composer().fill(text)
  if (mode) await page.getByText(mode, { exact: true }).tap()
  await tap('Send')
}
function message(text: string, state: 'waiting' | 'delivered' | 'withdrawn') {
  return page.locator(`.message.${state}`, { hasText: text })
}
function turn(n: number) {
  return page.getByRole('heading', { name: `Turn ${n}` })
}
function ends() {
  return page.locator('.end h3')
}
async function seesEnd(n: number, how: 'Completed' | 'Cancelled') {
  await waitFor(`the end of turn ${n}`, async () => (await ends().count()) === n, TURN_MS, 200)
  expect((await ends().allTextContents()).at(-1)).toBe(how)
}

function signalRunner(signal: 'SIGSTOP' | 'SIGCONT') {
  for (const runner of system.runners) process.kill(runner.pid(), signal)
}

describe('a person with a phone', () => {
  it('signs in by the link, and sends the demo task from the welcome screen', async () => {
    const { body } = await system.api<SignInLink>('/auth/links', { method: 'POST', body: {} })
    await page.goto(body.url)
    await tap('Sign in')
    await page.getByRole('link', { name: 'Try the demo task' }).tap()
    const prompt = page.getByLabel('What should be done?')
    await waitFor('the task to be filled in', async () => (await prompt.inputValue()) === 'Fix the failing test.')
    // A sandbox starts faster than a busy machine shows a screen.
    signalRunner('SIGSTOP')
    await tap('Send')
    await page.waitForURL('**/task/*')
    id = page.url().split('/').at(-1) ?? ''
  })

  it('watches it start; steers it, queues two more turns and takes one of them back', async () => {
    await page.locator('.boot-step.now').waitFor()
    signalRunner('SIGCONT')
    await sendMessage('Keep it short.', 'Steer')
    await message('Keep it short.', 'waiting').getByText('delivered after the current step').waitFor()
    await sendMessage('Add a French greeting.', 'Queue')
    await sendMessage('Forget this one.', 'Queue')
    await message('Add a French greeting.', 'waiting').getByText('runs as the next turn').waitFor()
    await message('Forget this one.', 'waiting').getByRole('button', { name: 'Unsend' }).tap()
    await message('Forget this one.', 'withdrawn').waitFor()
  })

  it('reads along as it writes and works, and sees the steer arrive between two steps', async () => {
    await page.locator('.live-text').waitFor({ timeout: TURN_MS })
    await page
      .getByRole('button', { name: /^Ran 1 command/ })
      .first()
      .waitFor({ timeout: TURN_MS })
    await message('Keep it short.', 'delivered').getByText('Sent while the agent worked').waitFor({ timeout: TURN_MS })
    await seesEnd(1, 'Completed')
    const types = (await system.events(id)).map(({ type }) => type)
    const delivered = types.indexOf('message.delivered')
    expect(types.lastIndexOf('tool.ended', delivered)).toBeGreaterThan(0)
    expect(types.indexOf('tool.started', delivered)).toBeGreaterThan(0)
  })

  it('stops the second turn, which was queued, for something else', async () => {
    await turn(2).waitFor({ state: 'attached' })
    await composer().fill('Document in the README how to use it.')
    await tap('Stop and send')
    await turn(3).waitFor({ state: 'attached', timeout: TURN_MS })
    expect(await ends().allTextContents()).toEqual(['Completed', 'Cancelled'])
    expect(await composer().inputValue()).toBe('')
    await seesEnd(3, 'Completed')
  })

  it('has the last turn tried again', async () => {
    await tap('More')
    await tap('Try again…')
    await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).tap()
    await turn(4).waitFor({ state: 'attached', timeout: TURN_MS })
    await seesEnd(4, 'Completed')
  })

  it('was told all that the store has, in order and once, at every moment', async () => {
    const events = await system.events(id)
    expect(await rowsInPage(page)).toEqual(rowsOf(events))
    await expectNeverWrong(page, events)
  })

  it('takes the branch along, which passes the tests', async () => {
    const { branch } = await system.task(id)
    expect(await page.locator('.branch .mono').last().textContent()).toBe(branch)
    await page.getByRole('button', { name: 'Copy branch name' }).last().tap()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(branch)
    await expectMended(system.dataDir, branch)
  })

  it('reads what changed', async () => {
    await page.getByRole('link', { name: 'View changes' }).last().tap()
    await page.getByRole('button', { name: /part-of-day\.js/ }).tap()
    await page.locator('.patch-row.add').first().waitFor()
    expect(await page.locator('.patch-row.add').first().textContent()).toContain('hour < 12')
  })
})
