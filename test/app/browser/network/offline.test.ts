import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Task } from '../../../../contract/api/api.ts'
import type { TaskEvent } from '../../../../contract/api/event.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { expectNeverWrong, keepMoments } from '../../../support/browser/feed-moments.ts'
import { rowsInPage, rowsOf } from '../../../support/browser/feed-rows.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, REPO, type Told } from '../../scenes/story/tell.ts'
import { cutLine } from '../cut-line.ts'
import { forgetTasks, savedOn, saveOn } from '../device.ts'
import { SMALL } from '../phone.ts'

let stage: Stage
let page: Page
let line: Awaited<ReturnType<typeof cutLine>>

beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  await page?.context().close()
  page = await stage.visit('Ada', SMALL)
  line = await cutLine(page)
  // From here on its socket can be cut.
  await page.goto(stage.url)
})

/** A task of Ada that an agent works at. */
async function begin(prompt: string): Promise<Told> {
  const told = await beginTakenTask(stage, { person: 'Ada', prompt, agoSeconds: 60 })
  await told.tell(...steps.boot(1), steps.text(9, `I begin: ${prompt}`))
  return told
}
async function eventsOf(id: string) {
  return (await stage.api<{ events: TaskEvent[] }>('Ada', `/api/tasks/${id}/events`)).events
}
async function finish(told: Told) {
  await told.tell(steps.done(40, 'It is mended.', { files: 1, insertions: 2, deletions: 1 }))
  await told.end(41)
}
function isSaved(key: string, fits: (value: { status?: string; items?: Task[]; lastSeq: number }) => unknown) {
  return waitFor(`${key} on the device`, async () => {
    const value = await savedOn<{ status?: string; items?: Task[]; lastSeq: number }>(page, key)
    return value !== null && fits(value)
  })
}
async function expectDone() {
  await page.locator('.task-heading').getByText('Completed').waitFor()
  await page.getByText('It is mended.').waitFor()
  expect(await page.getByRole('button', { name: 'Cancel task' }).count()).toBe(0)
  expect(await page.locator('.strip').count()).toBe(0)
}

describe('a task that ended while it was looked at', () => {
  it('is done without a network too, on its screen and in the list, and says how old that is', async () => {
    const told = await begin('mend the lamp')
    await page.goto(`${stage.url}/task/${told.id}`)
    await page.getByText('I begin: mend the lamp').waitFor()
    await finish(told)
    await expectDone()
    const { lastSeq } = await stage.api<Task>('Ada', `/api/tasks/${told.id}`)
    await isSaved(`feed:${told.id}`, (feed) => feed.lastSeq === lastSeq)
    await isSaved(`saved:task:${told.id}`, (task) => task.status === 'completed')
    await line.cut()
    await page.reload()
    await expectDone()
    await page.getByText(/^As of /).waitFor()
    expect(await axeFaults(page)).toEqual([])
    await page.goto(stage.url)
    await page.getByRole('link', { name: /mend the lamp.*Completed/ }).waitFor()
    await line.mend()
    await page.getByText(/^As of /).waitFor({ state: 'detached' })
    await line.cut()
    await page.getByText(/^As of /).waitFor()
  })

  it('is done when only its events had been saved, and not yet its summary', async () => {
    const told = await begin('mend the bell')
    await page.goto(`${stage.url}/task/${told.id}`)
    await page.getByText('I begin: mend the bell').waitFor()
    await isSaved(`saved:task:${told.id}`, (task) => task.status === 'running')
    const old = await savedOn(page, `saved:task:${told.id}`)
    const oldList = await savedOn(page, 'saved:tasks')
    await finish(told)
    await expectDone()
    const { lastSeq } = await stage.api<Task>('Ada', `/api/tasks/${told.id}`)
    await isSaved(`feed:${told.id}`, (feed) => feed.lastSeq === lastSeq)
    await line.cut()
    await page.reload()
    await page.getByText(/^As of /).waitFor()
    await saveOn(page, `saved:task:${told.id}`, old)
    await saveOn(page, 'saved:tasks', oldList)
    await page.reload()
    await expectDone()
  })

  it('opens without a network when the app had sent it itself, and never asked for its summary', async () => {
    await page.goto(`${stage.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(REPO)
    await page.getByLabel('What should be done?').fill('mend the stairs')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL('**/task/*')
    const id = page.url().split('/').at(-1) ?? ''
    await page.getByText('Next in queue').first().waitFor()
    await isSaved(`feed:${id}`, (feed) => feed.lastSeq > 0)
    await isSaved(`saved:task:${id}`, (task) => task.status === 'pending')
    await line.cut()
    await page.reload()
    await page.locator('.task-heading').getByText('mend the stairs').waitFor()
    await page.getByText(/^As of /).waitFor()
  })
})

describe('a task at work, when the line goes down', () => {
  it('has no running clock and nothing to stop, says as of when, and goes on when the line is back', async () => {
    const told = await begin('mend the roof')
    await keepMoments(page)
    await page.goto(`${stage.url}/task/${told.id}`)
    await page.getByText('I begin: mend the roof').waitFor()
    const facts = page.locator('.strip-facts')
    await waitFor('the clock', async () => /^\d+:\d\d$/.test((await facts.textContent()) ?? ''))
    await line.cut()
    await facts.getByText(/^As of /).waitFor()
    expect(await facts.textContent()).toMatch(/^As of \S+( [AP]M)?$/)
    expect(await page.locator('.strip .dot-alive').count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Cancel task' }).isDisabled()).toBe(true)
    const moving = () => page.evaluate<number>('document.getAnimations().filter((one) => one.playState === "running").length')
    await waitFor('everything to stand still', async () => (await moving()) === 0)
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await axeFaults(page)).toEqual([])
    await finish(told)
    await line.mend()
    await expectDone()
    expect(await page.getByText(/^As of /).count()).toBe(0)
    await expectNeverWrong(page, await eventsOf(told.id))
  })
})

describe('a screen that was never here before', () => {
  const NOT_HERE = 'Not saved on this device.'
  let done: Told
  beforeAll(async () => {
    done = await begin('mend the door')
    await done.tell(...steps.bash(20, 'npm test', 'ok 1\n'))
    await done.keep('patch', PATCH)
    await finish(done)
  })

  it('says quietly that it needs the network, and comes by itself', async () => {
    await page.getByRole('link', { name: /mend the door/ }).waitFor()
    await waitFor('the user on the device', () => savedOn(page, 'saved:me'))
    for (const [path, comes] of [
      [`/task/${done.id}/log/toolu_20`, 'ok 1'],
      [`/task/${done.id}/changes`, 'lamp.txt'],
      [`/task/${done.id}`, 'It is mended.'],
      ['/settings', 'No hosts yet'],
      ['/admin', 'Redis answers'],
    ] as const) {
      await line.cut()
      // Else the list and what was opened before have the task.
      await forgetTasks(page)
      await page.goto(stage.url + path)
      await page.getByText(NOT_HERE).first().waitFor()
      await page.locator('.line', { hasText: /No network|Reconnecting/ }).waitFor()
      expect({ path, alerts: await page.getByRole('alert').count() }).toEqual({ path, alerts: 0 })
      expect(await axeFaults(page)).toEqual([])
      await line.mend()
      await page.getByText(comes).first().waitFor()
      await waitFor(`all of ${path}`, async () => (await page.getByText(NOT_HERE).count()) === 0)
    }
  })

  it('of a task that the list knows shows what it was asked, and quietly that the rest is not here', async () => {
    await page.getByRole('link', { name: /mend the door/ }).waitFor()
    await isSaved('saved:tasks', ({ items }) => items?.some(({ id }) => id === done.id))
    await line.cut()
    await page.goto(`${stage.url}/`)
    await page.getByText(/^As of /).waitFor()
    await page.getByRole('link', { name: /mend the door/ }).click()
    await page.locator('.task-heading').getByText('mend the door').waitFor()
    await page.getByText(NOT_HERE).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await line.mend()
    await page.getByText('It is mended.').waitFor()
  })
})

describe('a screen whose files are not here either, since the browser keeps none', () => {
  it('comes by itself too', async () => {
    await page.getByRole('heading', { level: 1, name: 'Tasks' }).waitFor()
    await page.route('**/assets/*', (route) => route.abort())
    await line.cut()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByLabel('Loading').waitFor()
    await page.locator('.line', { hasText: /No network|Reconnecting/ }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.unroute('**/assets/*')
    await line.mend()
    await page.getByText('No hosts yet').waitFor()
  })
})

describe('a message that is sent without a network', () => {
  it('says what it waits for, can be taken away, and goes out by itself in its order', async () => {
    const told = await begin('mend the pump')
    await keepMoments(page)
    await page.goto(`${stage.url}/task/${told.id}`)
    await page.getByText('I begin: mend the pump').waitFor()
    await line.cut()
    for (const text of ['first', 'not this', 'second']) {
      await page.getByLabel('Message to the agent').fill(text)
      await page.getByRole('button', { name: 'Send', exact: true }).click()
    }
    await waitFor('all to wait', async () => (await page.getByText("Sends when you're back online.").count()) === 3)
    expect(await axeFaults(page)).toEqual([])
    await expectNeverWrong(page, await eventsOf(told.id), ['first', 'not this', 'second'])
    await page.goto(stage.url)
    await page.getByRole('link', { name: /3 messages not sent/ }).click()
    await page.locator('.message', { hasText: 'not this' }).getByRole('button', { name: 'Delete' }).click()
    await line.mend()
    const messages = () => stage.api<{ items: { text: string }[] }>('Ada', `/api/tasks/${told.id}/messages`)
    await waitFor('all of them', async () => (await messages()).items.length === 3)
    expect((await messages()).items.map(({ text }) => text)).toEqual(['mend the pump', 'first', 'second'])
    const events = await eventsOf(told.id)
    await waitFor('them on the page', async () => {
      expect(await rowsInPage(page)).toEqual(rowsOf(events))
      return true
    })
    await expectNeverWrong(page, events, ['not this'])
  })
})

const PATCH = `diff --git a/lamp.txt b/lamp.txt
index 2f1c3aa..9d1e0b7 100644
--- a/lamp.txt
+++ b/lamp.txt
@@ -1 +1 @@
-dark
+light
`
