import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, REPO, type Told } from '../../scenes/story/tell.ts'

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, serviceWorkers: 'block' } as const

let stage: Stage
let page: Page
let running: Told

beforeAll(async () => {
  stage = await startStage()
  running = await beginTakenTask(stage, { person: 'Ada', prompt: 'Count the flashes', agoSeconds: 60 })
  await running.tell(
    ...steps.boot(1),
    steps.text(8, Array.from({ length: 60 }, (_, n) => `Paragraph ${n}.`).join('\n\n')),
    ...steps.plan(9, ['Look', 'done'], ['Mend it', 'doing']),
    steps.text(10, 'The last word.'),
  )
  for (let n = 0; n < 30; n++) await stage.api('Ada', '/api/tasks', { repoUrl: REPO, prompt: `Task number ${n}` })
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  await page?.context().close()
  page = await stage.visit('Ada', PHONE)
})

function top() {
  return page.evaluate<number>('scrollY')
}
function fromEnd() {
  return page.evaluate<number>('document.documentElement.scrollHeight - scrollY - innerHeight')
}
function showsList() {
  return page.getByRole('link', { name: /Task number 29/ }).waitFor()
}
async function isRead(words: string) {
  await page.getByText(words, { exact: true }).waitFor()
  await waitFor('the markdown', async () => (await page.locator('.prose.plain').count()) === 0)
}

describe('a screen', () => {
  it('opens at its top wherever the one before stood, and the way back leads to where one was', async () => {
    await page.goto(stage.url)
    await showsList()
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    const left = await top()
    expect(left).toBeGreaterThan(400)
    await page.getByRole('link', { name: 'Settings' }).tap()
    await page.getByRole('heading', { name: 'Account' }).waitFor()
    expect(await top()).toBe(0)
    await page.goBack()
    await showsList()
    await waitFor('the place in the list', async () => (await top()) === left)
  })

  it('of a feed opens at its end, by a step forward and by one back, and leaves the list at its top', async () => {
    await page.goto(stage.url)
    await page.getByRole('link', { name: /Count the flashes/ }).tap()
    const showsEnd = async () => {
      await isRead('The last word.')
      await waitFor('the end of the feed', async () => (await fromEnd()) < 1)
      expect(await top()).toBeGreaterThan(400)
    }
    await showsEnd()
    await page.getByRole('link', { name: 'Back' }).tap()
    await showsList()
    expect(await top()).toBe(0)
    await page.goBack()
    await showsEnd()
  })

  it('opens at the part that its address names', async () => {
    await page.goto(`${stage.url}/task/${running.id}`)
    await isRead('The last word.')
    await page.evaluate(`history.pushState(null, '', '/settings#devices')`)
    const devices = page.getByRole('heading', { name: 'Devices and tokens' })
    await devices.waitFor()
    expect(await devices.evaluate((part) => part.getBoundingClientRect().top)).toBeLessThan(844)
    expect(await top()).toBeGreaterThan(0)
  })
})

describe('the way to the latest', () => {
  it('can be tapped above a plan, and while something is typed', async () => {
    await page.goto(`${stage.url}/task/${running.id}`)
    await isRead('The last word.')
    await page.getByRole('button', { name: /^Plan/ }).waitFor()
    const jump = page.getByRole('button', { name: 'Jump to latest' })
    const leaveAndJump = async () => {
      await page.evaluate('scrollTo(0, 200)')
      await jump.waitFor()
      expect(await coveredBy(page, '.jump .button')).toEqual([])
      await jump.tap()
      await jump.waitFor({ state: 'detached' })
      expect(await fromEnd()).toBeLessThan(1)
    }
    await leaveAndJump()
    await page.getByLabel('Message to the agent').fill('one\ntwo\nthree\nfour')
    await page.getByText('Stop and send').waitFor()
    await leaveAndJump()
  })
})

/** What lies over a button: what a finger would meet near its corners, other than the button itself. */
function coveredBy(page: Page, selector: string): Promise<string[]> {
  return page.evaluate(`(() => {
    const button = document.querySelector('${selector}')
    const { left, right, top, bottom } = button.getBoundingClientRect()
    const met = [left + 20, right - 20].flatMap((x) => [top + 4, bottom - 4].map((y) => document.elementFromPoint(x, y)))
    return met.filter((one) => !button.contains(one)).map((one) => one?.className ?? 'nothing')
  })()`)
}
