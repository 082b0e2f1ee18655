import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Task } from '../../../../contract/api/api.ts'
import { see } from '../../../support/browser/see.ts'
import { touchFaults } from '../../../support/browser/touch.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { change } from '../../scenes/scene.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, type Told } from '../../scenes/story/tell.ts'
import { SMALL } from '../phone.ts'

const RED = Array.from({ length: 60 }, (_, n) => `${n} ${'a long line of what went wrong '.repeat(4)}`).join('\n')
const CUT = 'exit_code: 143\nwall_time: 4.0 s\nended: the task was stopped\n(no output)'

let stage: Stage
let page: Page

beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())
beforeEach(async () => {
  page = await stage.visit('Ada', SMALL)
})
afterEach(() => page.context().close())

function begin(prompt: string): Promise<Told> {
  return beginTakenTask(stage, { person: 'Ada', prompt, agoSeconds: 600 })
}
async function open({ id }: Told, words: string | RegExp) {
  await page.goto(`${stage.url}/task/${id}`)
  await see(page.getByText(words).first())
}
function group(name: RegExp) {
  return page.getByRole('button', { name })
}
async function isOpen(name: RegExp) {
  return (await group(name).getAttribute('aria-expanded')) === 'true'
}

describe('a call that failed', () => {
  it('leaves room when it opens by itself, and folds when the agent goes on, watched or not; what a person opened stays', async () => {
    const told = await begin('a red test')
    await told.tell(
      ...steps.boot(1),
      ...steps.bash(10, `npm test -- ${'test/one.test.js '.repeat(40)}`, RED, { exit: 1, bytes: 90_000 }),
    )
    await open(told, 'exit 1')
    const shown = page.locator('.work', { hasText: 'exit 1' })
    expect((await shown.boundingBox())?.height).toBeLessThan(400)
    // A box that is filled from below is at its end at 0.
    const box = "document.querySelector('.output-end')"
    expect(await page.evaluate(`[${box}.scrollTop, ${box}.scrollHeight > ${box}.clientHeight]`)).toEqual([0, true])
    expect(await touchFaults(page)).toEqual([])
    await told.tell(steps.text(20, 'I see what is wrong.'))
    await page.getByText('I see what is wrong.').waitFor()
    expect(await isOpen(/^Ran 1 command/)).toBe(false)
    await page.reload()
    await page.getByText('I see what is wrong.').waitFor()
    expect(await isOpen(/^Ran 1 command/)).toBe(false)

    await group(/^Ran 1 command/).click()
    await page.locator('.output-end').waitFor()
    await told.tell(...steps.bash(30, 'npm run lint', 'a fault\n', { exit: 2 }))
    await page.getByText('exit 2').waitFor()
    // A person who closes and opens again has chosen.
    for (const _ of [1, 2]) await page.getByRole('button', { name: /npm run lint/ }).click()
    // What follows would fold for somebody who is at the end and has not chosen.
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'detached' })
    await told.tell(steps.text(40, 'Both are mended.'))
    await page.getByText('Both are mended.').waitFor()
    expect(await page.locator('.output-end').count()).toBe(2)
  })

  it('is none that the person’s own cancel ended', async () => {
    const told = await begin('stopped')
    await told.tell(...steps.boot(1), steps.begin(10, 'sleep 600'))
    await told.tell(
      steps.at(14, 'tool.ended', {
        callId: 'toolu_10',
        name: 'bash',
        ok: false,
        output: CUT,
        outputBytes: 0,
        exitCode: 143,
        durationMs: 4_000,
      }),
    )
    await told.end(15, { outcome: 'cancelled', reason: 'cancelled_by_user' })
    await open(told, /^Cancelled$/)
    await group(/^Ran 1 command/).click()
    const call = page.locator('.call')
    await call.getByText('cancelled').waitFor()
    expect(await page.locator('.feed .bad').count()).toBe(0)
    expect(await page.getByText(/Stopped|Done/).count()).toBe(0)
  })
})

describe('the start of a turn', () => {
  it('that ended with the clone is not said to have succeeded', async () => {
    const told = await begin('no such repository')
    await told.tell(
      steps.at(2, 'sandbox.ready', { node: 'v24.11.0' }),
      steps.at(28, 'turn.started', { turn: 1, model: 'claude-opus-5-5' }),
    )
    await told.end(29, { outcome: 'failed', reason: 'repository_not_found' })
    await open(told, 'Ended before the agent started')
    expect(await page.getByText(/Started in/).count()).toBe(0)
  })

  it('of a second turn is no second attempt', async () => {
    const told = await begin('two turns')
    await told.tell(...steps.boot(1), steps.done(10, 'The first.', null))
    await told.end(11)
    await told.message('And more.', 'queue')
    await told.take()
    await told.tell(...steps.boot(20, { turn: 2, resumed: true }), steps.text(26, 'I go on.'))
    await open(told, 'I go on.')
    expect(
      await page
        .getByText(/Started in/)
        .last()
        .textContent(),
    ).toMatch(/^Started in/)
  })
})

describe('the line above the composer', () => {
  it('says that the agent writes while it does, and tells what a demo costs as everywhere', async () => {
    const told = await begin('written')
    await told.tell(...steps.boot(1), steps.used(8, 20_000, 500, 0.42))
    await change<Task>(page, `**/api/tasks/${told.id}`, (task) => ({ ...task, demo: true }))
    await open(told, /^Thinking$/)
    await page.locator('.strip').getByText('$0 (demo)').waitFor()
    await stage.runner.sendDelta(told.lease(), 0, 'The lamp is')
    await page
      .locator('.strip')
      .getByText(/^Writing$/)
      .waitFor()
    await told.tell(steps.text(12, 'The lamp is driven by two timers.'))
    await page
      .locator('.strip')
      .getByText(/^Thinking$/)
      .waitFor()
  })
})

describe('with a keyboard open', () => {
  /** How high what lies between the heading and the composer is, of what is seen. */
  const feedHeight = () =>
    page.evaluate<number>(
      "document.querySelector('.screen-footer').getBoundingClientRect().top - document.querySelector('.app-bar').getBoundingClientRect().bottom",
    )
  const LONG = 'One more thing to look at.\n'.repeat(12)
  let told: Told
  beforeAll(async () => {
    told = await begin('typed')
    await told.tell(
      ...steps.boot(1),
      ...steps.plan(9, ['Look', 'doing'], ['Mend', 'open']),
      steps.text(10, 'I look at the lamp.'),
    )
  })

  it('a third of a small screen is left to the feed, on Android', async () => {
    await page.setViewportSize({ width: 320, height: 568 })
    await open(told, 'I look at the lamp.')
    await page.setViewportSize({ width: 320, height: 568 - 260 })
    await page.getByLabel('Message to the agent').fill('Say it shortly.')
    await page.getByRole('button', { name: 'Stop and send' }).waitFor()
    await waitFor('room', async () => (await feedHeight()) >= 308 / 3)
    expect(await touchFaults(page)).toEqual([])
    await page.getByLabel('Message to the agent').fill(LONG)
    await waitFor('room beside a long message', async () => (await feedHeight()) >= 72)
    await page.setViewportSize({ width: 320, height: 568 })
    await page.getByRole('button', { name: /^Plan/ }).waitFor()
  })

  it('the composer stands above it, on iOS', async () => {
    await page.addInitScript(
      `Object.defineProperty(window, 'visualViewport', { value: Object.assign(new EventTarget(), { height: 568, offsetTop: 0, scale: 1 }) })`,
    )
    await page.setViewportSize({ width: 320, height: 568 })
    await open(told, 'I look at the lamp.')
    await page.evaluate("visualViewport.height = 308; visualViewport.dispatchEvent(new Event('resize'))")
    const bottom = "document.querySelector('.screen-footer').getBoundingClientRect().bottom"
    await waitFor('the composer above the keyboard', async () => (await page.evaluate<number>(bottom)) === 308)
    expect(await feedHeight()).toBeGreaterThanOrEqual(308 / 3)
  })
})
