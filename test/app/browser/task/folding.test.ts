import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, type Told } from '../../scenes/story/tell.ts'
import { SMALL } from '../phone.ts'

let stage: Stage
let page: Page

beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  await page?.context().close()
  page = await stage.visit('Ada', SMALL)
})

async function begin(prompt: string): Promise<Told> {
  const told = await beginTakenTask(stage, { person: 'Ada', prompt, agoSeconds: 3600 })
  await told.tell(...steps.boot(1))
  return told
}
async function openTask({ id }: Told, words: string) {
  await page.goto(`${stage.url}/task/${id}`)
  await page.getByText(words, { exact: true }).waitFor()
}
function button(name: RegExp) {
  return page.getByRole('button', { name })
}
async function showEarlierUntil(isThere: () => Promise<boolean>) {
  return waitFor('it to be loaded', async () => {
    if (await isThere()) return true
    // The button goes with the last of what is earlier, perhaps just now.
    await button(/^Show earlier$/).click({ timeout: 1_000 })
    return false
  })
}

describe('the work of a task', () => {
  it('of a turn that is over is folded also when it is loaded later; that of one that ends before one’s eyes is not', async () => {
    const told = await begin('two turns')
    await told.tell(...steps.bash(10, 'npm test', 'green\n'), steps.done(20, 'The first is done.', null))
    await told.end(21)
    await told.message('And the second.', 'queue')
    await told.take()
    const thoughts = Array.from({ length: 400 }, (_, n) => steps.text(40 + n, `Thought ${n}.`))
    await told.tell(...steps.boot(30, { turn: 2, resumed: true }), ...thoughts)
    await openTask(told, 'Thought 399.')
    await showEarlierUntil(async () => (await page.getByText('The first is done.').count()) > 0)
    await button(/^Worked.* 1 step$/).waitFor()
    await told.tell(...steps.bash(500, 'npm test', 'green\n'), steps.done(510, 'The second is done.', null, 2))
    await told.end(511)
    await page.getByText('The second is done.').waitFor()
    await page.locator('.end').nth(1).waitFor()
    expect(await button(/^Worked/).count()).toBe(1)
  })

  it('that a person opened stays as it is when the next call begins', async () => {
    const told = await begin('one after the other')
    await told.tell(steps.text(9, 'I look.'), ...steps.bash(10, 'cat one.txt', 'the first output\n'))
    await openTask(told, 'I look.')
    await button(/^Ran 1 command$/).click()
    await page.getByText('the first output').waitFor()
    await told.tell(...steps.bash(20, 'cat two.txt', 'the second output\n'))
    await button(/^Ran 2 commands$/).waitFor()
    expect(await page.getByText('the first output').isVisible()).toBe(true)
    expect(await page.getByText('the second output').count()).toBe(0)
  })

  it('stays open or closed as one chose when earlier calls of it are loaded, and what one reads stays in its place', async () => {
    const told = await begin('many calls')
    const calls = Array.from({ length: 200 }, (_, n) => steps.bash(10 + n, `echo ${n}`, `${n}\n`)).flat()
    await told.tell(...calls, steps.text(300, 'That was all.'))
    await openTask(told, 'That was all.')
    const group = button(/^Ran \d+ commands$/)
    await group.click()
    await page.getByText('echo 199').waitFor()
    const text = page.getByText('That was all.')
    await text.scrollIntoViewIfNeeded()
    const top = async () => Math.round((await text.boundingBox())?.y ?? 0)
    const before = await top()
    // As a key: without scrolling there.
    await page.evaluate(`document.querySelector('.earlier button').click()`)
    await button(/^Ran 200 commands$/).waitFor()
    expect(await group.getAttribute('aria-expanded')).toBe('true')
    await waitFor('the text in its place', async () => (await top()) === before)
  })
})
