import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { axeFaults } from '../../../support/browser/axe.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask } from '../../scenes/story/tell.ts'
import { cutLine } from '../cut-line.ts'
import { keysOn, savedOn } from '../device.ts'
import { SMALL } from '../phone.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage?.stop())

/** A task that has ended, and a page that shows it and keeps it. */
async function shownTask(prompt: string): Promise<{ id: string; page: Page }> {
  const told = await beginTakenTask(stage, { person: 'Ada', prompt, agoSeconds: 60 })
  await told.tell(...steps.boot(1), steps.text(9, `I begin: ${prompt}`), steps.done(40, 'It is mended.', null))
  await told.end(41)
  const page = await stage.visit('Ada', SMALL)
  await page.goto(`${stage.url}/task/${told.id}`)
  await page.getByText('It is mended.').waitFor()
  await waitFor('it to be kept on the device', async () => (await keptOf(page, told.id)).length === 2)
  return { id: told.id, page }
}

const keptOf = async (page: Page, id: string) => (await keysOn(page)).filter((key) => key.endsWith(id))
const remove = (id: string) => stage.api('Ada', `/api/tasks/${id}`, undefined, 'DELETE')

async function expectForgotten(page: Page, id: string) {
  await waitFor('nothing of it to be kept', async () => (await keptOf(page, id)).length === 0)
  expect((await savedOn<string[]>(page, 'saved:feeds')) ?? []).not.toContain(id)
}

describe('a task that is deleted', () => {
  it('on this device goes after a question, and the list is there without it', async () => {
    const { id, page } = await shownTask('mend the lamp')
    const openSheet = async () => {
      await page.getByRole('button', { name: 'More' }).click()
      await page.getByRole('button', { name: 'Delete…' }).click()
      await page.getByText('Its branch on the git host stays.').waitFor()
    }
    await openSheet()
    expect(await axeFaults(page)).toEqual([])
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect((await stage.api<{ id: string }>('Ada', `/api/tasks/${id}`)).id).toBe(id)
    await openSheet()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.waitForURL(`${stage.url}/`)
    await page.getByRole('heading', { name: 'Tasks' }).waitFor()
    expect(await page.getByRole('link', { name: /mend the lamp/ }).count()).toBe(0)
    await expectForgotten(page, id)
    await page.context().close()
  })

  it('on another device is gone from the screen that shows it, and from the list', async () => {
    const { id, page } = await shownTask('mend the bell')
    await remove(id)
    await page.getByText('Task not found').waitFor()
    await page.getByText('It was deleted, or you have no access to it.').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await expectForgotten(page, id)
    await page.getByRole('link', { name: 'Go to tasks' }).click()
    await page.getByRole('heading', { name: 'Tasks' }).waitFor()
    expect(await page.getByRole('link', { name: /mend the bell/ }).count()).toBe(0)
    await page.context().close()
  })

  it('while the line was down is forgotten when it is back, also by the list without a network', async () => {
    const { id, page } = await shownTask('mend the roof')
    const line = await cutLine(page)
    await page.goto(stage.url)
    await page.getByRole('link', { name: /mend the roof/ }).waitFor()
    await line.cut()
    await page.getByText(/^As of /).waitFor()
    await remove(id)
    expect(await page.getByRole('link', { name: /mend the roof/ }).count()).toBe(1)
    await line.mend()
    await page.getByRole('link', { name: /mend the roof/ }).waitFor({ state: 'detached' })
    await expectForgotten(page, id)
    await line.cut()
    await page.reload()
    await page.getByText(/^As of /).waitFor()
    expect(await page.getByRole('link', { name: /mend the roof/ }).count()).toBe(0)
    await page.context().close()
  })
})
