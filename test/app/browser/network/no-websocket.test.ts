import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import type { SignInLink } from '../../../../contract/api/api.ts'
import { openPage, signIn, startBrowser } from '../../../support/browser/browser.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type PlainProxy, startPlainProxy } from '../../../support/outside/plain-proxy.ts'
import { createHandWork, type HandWork } from '../../../support/scripted/hand-work.ts'
import { startCoordinator, type TestCoordinator } from '../../../support/systems/coordinator.ts'

let proxy: PlainProxy
let server: TestCoordinator
let work: HandWork
let browser: Browser
let page: Page

beforeAll(async () => {
  proxy = await startPlainProxy()
  server = await startCoordinator({ environment: { ERRAND_PUBLIC_URL: proxy.url } })
  proxy.leadTo(`http://127.0.0.1:${server.config.port}`)
  work = await createHandWork(server)
  browser = await startBrowser()
  page = (await openPage(browser, { viewport: { width: 390, height: 844 }, serviceWorkers: 'block' })).page
  await signIn(page, (await work.api<SignInLink>('/auth/links', {})).url)
})
afterAll(async () => {
  await browser?.close()
  await work?.close()
  await server?.stop()
  await proxy?.stop()
})

describe('where a proxy lets no WebSocket pass', () => {
  it('the feed is live all the same: text in the making, events, and the end', async () => {
    const task = await work.begin('Fix the test.')
    await page.goto(`${proxy.url}/task/${task.id}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await task.say({ type: 'text.written', data: { text: 'The first words.' } })
    await page.getByText('The first words.').waitFor()
    // For the eye only: what comes between two polls is dropped.
    await waitFor('words in the making', async () => {
      await task.sayDelta(0, 'Words in the making')
      return page.getByText('Words in the making').first().isVisible()
    })
    await task.end()
    await page.getByRole('heading', { name: 'Completed', exact: true }).waitFor()
    expect(proxy.refused()).toBeGreaterThan(0)
    expect(await page.getByText('Reconnecting').count()).toBe(0)
  })
})
