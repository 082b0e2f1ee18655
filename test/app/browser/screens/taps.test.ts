import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Task } from '../../../../contract/api/api.ts'
import type { TaskEvent } from '../../../../contract/api/event.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { crashOn } from '../../../support/browser/browser.ts'
import { expectMoreEachTime, keepMoments } from '../../../support/browser/feed-moments.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { breakDown } from '../../scenes/scene.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, REPO } from '../../scenes/story/tell.ts'
import { SMALL } from '../phone.ts'

const FAULT = 'Something went wrong on the server.'

let stage: Stage
let page: Page
/** A task with more events than a feed opens with. */
let long: string

beforeAll(async () => {
  stage = await startStage()
  const told = await beginTakenTask(stage, { person: 'Ada', prompt: 'Tell me everything', agoSeconds: 600 })
  await told.tell(...steps.boot(1), ...Array.from({ length: 400 }, (_, n) => steps.text(10 + n, `Thought ${n}.`)))
  long = told.id
  for (let n = 0; n < 60; n++) await stage.api('Ada', '/api/tasks', { repoUrl: REPO, prompt: `Task number ${n}` })
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  await page?.context().close()
  page = await stage.visit('Ada', SMALL)
})

function press(name: string | RegExp) {
  return page.getByRole('button', { name, exact: true }).click()
}
function faultBeside(name: string) {
  return page.getByRole('button', { name }).locator('xpath=..').getByRole('alert').getByText(FAULT).waitFor()
}

describe('what cannot be loaded', () => {
  it('of the earlier events of a task is told beside the button, and comes with the next tap', async () => {
    // On a slow phone, the tap may come before the rows that the browser adds when it is idle.
    const slow = await page.context().newCDPSession(page)
    await slow.send('Emulation.setCPUThrottlingRate', { rate: 20 })
    await keepMoments(page)
    await page.goto(`${stage.url}/task/${long}`)
    await page.getByText('Thought 399.').waitFor()
    // The rows that are here already come first.
    await press('Show earlier')
    await page.getByText('Thought 110.').waitFor({ state: 'attached' })
    await slow.send('Emulation.setCPUThrottlingRate', { rate: 1 })
    await breakDown(page, '**/events?*')
    await press('Show earlier')
    await faultBeside('Show earlier')
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/events?*')
    await press('Show earlier')
    await page.getByText('Thought 0.', { exact: true }).waitFor({ state: 'attached' })
    expect(await page.getByText(FAULT).count()).toBe(0)
    const { events } = await stage.api<{ events: TaskEvent[] }>('Ada', `/api/tasks/${long}/events?limit=1000`)
    await expectMoreEachTime(page, events)
  })

  it('of the earlier tasks is told beside the button, and comes with the next tap', async () => {
    await page.goto(stage.url)
    await page.getByText('Task number 59').waitFor()
    await breakDown(page, '**/api/tasks?*')
    await press('Show earlier tasks')
    await faultBeside('Show earlier tasks')
    expect(await axeFaults(page)).toEqual([])
    await page.unroute('**/api/tasks?*')
    await press('Show earlier tasks')
    await page.getByText('Task number 0', { exact: true }).waitFor()
    expect(await page.getByText(FAULT).count()).toBe(0)
  })

  it.each([
    ['the list', '/', '**/api/tasks?*', 'Task number 59'],
    ['a task', '/task/:id', '**/api/tasks/*', 'Thought 399.'],
    ['the projects', '/projects', '**/api/projects', 'No projects yet'],
  ] as const)('keeps its reason and its button while it is asked again: %s', async (_what, path, calls, words) => {
    // With a live connection the app also asks again by itself.
    await page.routeWebSocket(/socket\.io/, () => undefined)
    await breakDown(page, calls)
    await page.goto(stage.url + path.replace(':id', long))
    const retry = page.getByRole('button', { name: 'Try again' })
    await retry.waitFor()
    let letGo = () => {}
    const held = new Promise<void>((go) => {
      letGo = go
    })
    await page.route(calls, (route) => held.then(() => route.continue()))
    await Promise.all([page.waitForRequest(calls), retry.click()])
    expect(await page.getByText(FAULT).isVisible()).toBe(true)
    expect(await retry.getAttribute('aria-busy')).toBe('true')
    letGo()
    await page.getByText(words).first().waitFor()
    expect(await retry.count()).toBe(0)
  })
})

describe('a new task that is not complete', () => {
  it('leads to what is wrong, also where that is folded away', async () => {
    await page.goto(`${stage.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(REPO)
    await page.getByLabel('What should be done?').fill('mend it')
    await page.getByText('Branch, model, effort, budget').click()
    await page.getByLabel('Budget (US dollars)').fill('a lot')
    await page.getByText('Branch, model, effort, budget').click()
    await press('Send')
    await waitFor('the focus', () => page.evaluate(`document.activeElement.inputMode === 'decimal'`))
    await page.getByText('Enter a number above 0').waitFor()
    await page.getByLabel('Repository', { exact: true }).fill('')
    await press('Send')
    await waitFor('the focus', () => page.evaluate(`document.activeElement.type === 'url'`))
  })
})

describe('a copy over plain HTTP', () => {
  /** As an address without HTTPS has it; what came onto the clipboard is still to be seen. */
  const withoutClipboard = async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.addInitScript(`
      window.readClipboard = navigator.clipboard.readText.bind(navigator.clipboard)
      Object.defineProperty(navigator, 'clipboard', { value: undefined })`)
  }
  const copied = () => page.evaluate<string>('readClipboard()')

  it('is made of a link out of a dialog, and leaves the focus where it was', async () => {
    await withoutClipboard()
    await page.goto(`${stage.url}/task/${long}`)
    await press('More')
    await press('Copy link')
    await page.getByRole('button', { name: 'Link copied' }).waitFor()
    expect(await copied()).toBe(`${stage.url}/task/${long}`)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Link copied')
  })

  it('is made of a new token', async () => {
    await withoutClipboard()
    await makeToken()
    await press('Copy')
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await copied()).toBe(await page.locator('.secret').textContent())
  })

  it('is made of what a screen stumbled over', async () => {
    await withoutClipboard()
    await crashOn(page, 'AdminScreen', 'admin-screen')
    await page.goto(`${stage.url}/admin`)
    await press('Copy details')
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    expect(await copied()).toContain(`${stage.url}/admin\nTypeError`)
  })
})

describe('a dialog', () => {
  it('that shows a secret stays when something in it is marked past its edge, and when one taps beside it', async () => {
    await makeToken()
    const { x, y } = (await page.locator('.secret').boundingBox()) ?? { x: 0, y: 0 }
    await page.mouse.move(x + 40, y + 20)
    await page.mouse.down()
    await page.mouse.move(x + 40, 20, { steps: 5 })
    await page.mouse.up()
    await page.mouse.click(160, 20)
    await page.getByText('Copy it now').waitFor()
    await page.keyboard.press('Escape')
    await page.getByText('Copy it now').waitFor({ state: 'detached' })
  })

  it('is closed by a tap beside it, and not by one that begins in it', async () => {
    await page.goto(`${stage.url}/task/${(await stage.api<{ items: Task[] }>('Ada', '/api/tasks')).items[0]?.id}`)
    await press('More')
    const dialog = page.getByRole('dialog')
    const { x, y } = (await dialog.getByRole('heading').boundingBox()) ?? { x: 0, y: 0 }
    await page.mouse.move(x + 10, y + 10)
    await page.mouse.down()
    await page.mouse.move(160, 20, { steps: 5 })
    await page.mouse.up()
    expect(await dialog.count()).toBe(1)
    await page.mouse.click(160, 20)
    await dialog.waitFor({ state: 'detached' })
  })
})

describe('a button that is at work', () => {
  const focused = () => page.evaluate<string>('document.activeElement.textContent')
  /** Holds calls up until they are let go. */
  const hold = async (path: string, method = 'GET') => {
    let calls = 0
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await page.route(path, async (route) => {
      if (route.request().method() !== method) return route.continue()
      calls++
      await held
      await route.continue()
    })
    return { letGo, calls: () => calls }
  }
  const isAtWork = (name: string) => page.locator('button[aria-busy]', { hasText: name }).waitFor()

  it('keeps the focus, and does nothing a second time', async () => {
    await page.goto(stage.url)
    await page.getByText('Task number 59').waitFor()
    const { letGo, calls } = await hold('**/api/tasks?*cursor*')
    await page.getByRole('button', { name: 'Show earlier tasks' }).press('Enter')
    await isAtWork('Show earlier tasks')
    expect(await focused()).toBe('Show earlier tasks')
    await page.keyboard.press('Enter')
    expect(await axeFaults(page)).toEqual([])
    // Before the answer: once the list is whole, a new connection may ask for all of it again.
    expect(calls()).toBe(1)
    letGo()
    await page.getByText('Task number 0', { exact: true }).waitFor()
  })

  it('sends a form once, however often one presses Enter in it', async () => {
    await page.goto(`${stage.url}/settings`)
    await press('New token')
    const { letGo, calls } = await hold('**/api/me/tokens', 'POST')
    await page.getByLabel('What is it for?').fill('a script')
    await page.evaluate(NOTE_PRESSES)
    for (const _ of [1, 2, 3]) {
      await page.getByLabel('What is it for?').press('Enter')
      await isAtWork('Save')
    }
    // Enter in a field presses the form's button.
    expect(await page.evaluate('pressed')).toEqual(['Save', 'Save', 'Save'])
    letGo()
    await page.getByText('Copy it now').waitFor()
    expect(calls()).toBe(1)
  })

  it('gets the focus back from the dialog that its work opened', async () => {
    await page.goto(`${stage.url}/settings`)
    await page.getByRole('button', { name: 'Sign in on another device' }).press('Enter')
    await page.getByText('This link opens only on the machine that runs the server.').waitFor()
    await page.keyboard.press('Escape')
    await waitFor('the button', async () => (await focused()) === 'Sign in on another device')
  })
})

/** The buttons that are pressed from now on. */
const NOTE_PRESSES = `
  window.pressed = []
  addEventListener('click', ({ target }) => pressed.push(target.closest('button')?.textContent), { capture: true })`

async function makeToken() {
  await page.goto(`${stage.url}/settings`)
  await press('New token')
  await page.getByLabel('What is it for?').fill('a script')
  await press('Save')
  await page.getByText('Copy it now').waitFor()
}
