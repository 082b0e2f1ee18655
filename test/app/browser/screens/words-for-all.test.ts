import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { type Stage, startStage } from '../../scenes/story/stage.ts'
import { steps } from '../../scenes/story/steps.ts'
import { beginTakenTask, type Told } from '../../scenes/story/tell.ts'
import { SMALL } from '../phone.ts'

const PATCH = 'diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+b\n'
const PULL_REQUEST = 'https://github.com/lighthouse/beacon/pull/42'

let stage: Stage
let page: Page
let running: Told
let done: Told

beforeAll(async () => {
  stage = await startStage()
  const begin = (prompt: string) => beginTakenTask(stage, { person: 'Grace', prompt, agoSeconds: 60 })
  running = await begin('Count the flashes')
  await running.tell(
    ...steps.boot(1),
    ...steps.plan(9, ['Look', 'done'], ['Mend it', 'doing'], ['Test it', 'open']),
    steps.text(10, 'I look.'),
  )
  done = await begin('Document the flashes')
  await done.tell(
    ...steps.boot(1),
    steps.pushed(20, 'errand/p4x8/document'),
    steps.at(21, 'pull_request.opened', { url: PULL_REQUEST, number: 42 }),
    steps.done(22, 'Written.', { files: 1, insertions: 1, deletions: 1 }),
  )
  await done.keep('patch', PATCH)
  await done.end(23)
})
afterAll(() => stage?.stop())

beforeEach(async () => {
  await page?.context().close()
  page = await stage.visit('Grace', SMALL)
})

async function openRunning() {
  await page.goto(`${stage.url}/task/${running.id}`)
  await page.getByText('I look.', { exact: true }).waitFor()
}
function composer() {
  return page.getByLabel('Message to the agent')
}

describe('a task', () => {
  it('says in words how far each step of its plan is', async () => {
    await openRunning()
    await page.getByRole('button', { name: /^Plan 1\/3/ }).click()
    expect(await page.locator('.plan-steps').getByRole('listitem').allTextContents()).toEqual([
      'Done: Look',
      'In progress: Mend it',
      'To do: Test it',
    ])
  })

  it('says once that a message is too long, while it grows', async () => {
    await openRunning()
    await composer().fill('x'.repeat(LIMITS.promptChars + 1))
    await page.getByText('1 character over the limit').waitFor()
    const alert = page.getByRole('alert')
    const before = await alert.textContent()
    await composer().press('x')
    await page.getByText('2 characters over the limit').waitFor()
    expect(await alert.allTextContents()).toEqual([before])
    await composer().fill('short')
    await alert.waitFor({ state: 'detached' })
  })

  it('says of a message that the server has, that it was sent', async () => {
    // The event that would take its place gets lost.
    await page.routeWebSocket(/socket\.io/, (line) => {
      const server = line.connectToServer()
      server.onMessage((message) => {
        if (!String(message).includes('message.received')) line.send(message)
      })
    })
    await openRunning()
    await composer().fill('Keep it short.')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.locator('.message', { hasText: 'Keep it short.' }).getByText('Sent', { exact: true }).waitFor()
  })

  it('leads from its changes to the pull request, and names the branch', async () => {
    await page.goto(`${stage.url}/task/${done.id}/changes`)
    await page.getByRole('button', { name: /a\.txt/ }).waitFor()
    const link = page.getByRole('link', { name: 'Open pull request' })
    expect(await link.getAttribute('href')).toBe(PULL_REQUEST)
    expect(await page.locator('.branch .mono').textContent()).toBe(
      (await stage.api<{ branch: string }>('Grace', `/api/tasks/${done.id}`)).branch,
    )
    await page.getByRole('button', { name: 'Copy branch name' }).waitFor()
  })
})

describe('the app', () => {
  it('says its version to everybody', async () => {
    await page.goto(`${stage.url}/settings`)
    await page.getByText(/^Errand \d+\.\d+\.\d+$/).waitFor()
  })

  it('shows a stranger something while the sign-in is on its way', async () => {
    const stranger = await stage.visitUnknown(SMALL)
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await stranger.route('**/assets/sign-in-screen-*.js', async (route) => {
      await held
      await route.continue()
    })
    await stranger.goto(`${stage.url}/sign-in`)
    await stranger.getByLabel('Loading').waitFor()
    letGo()
    await stranger.getByText('npx errand link').waitFor()
    await stranger.context().close()
  })
})
