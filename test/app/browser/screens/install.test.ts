import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import type { SignInLink, TaskPage } from '../../../../contract/api/api.ts'
import { buildApp } from '../../../../setup/build/app.ts'
import { axeFaults } from '../../../support/browser/axe.ts'
import { signIn, startBrowserWithProfile } from '../../../support/browser/browser.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { createHandWork, type HandWork } from '../../../support/scripted/hand-work.ts'
import { startCoordinator, type TestCoordinator } from '../../../support/systems/coordinator.ts'
import { startRedis, type TestRedis } from '../../../support/systems/redis.ts'
import { freePort, type TemporaryFolder, temporaryFolder } from '../../../support/systems/temporary.ts'

let folder: TemporaryFolder
let redis: TestRedis
let server: TestCoordinator
let work: HandWork
let context: BrowserContext
let page: Page
let session: CDPSession
let taskId: string
let startServer: () => Promise<TestCoordinator>

beforeAll(async () => {
  await buildApp(join(import.meta.dirname, '../../../..'))
  folder = await temporaryFolder()
  redis = await startRedis()
  const environment = { ERRAND_PORT: String(await freePort()) }
  startServer = () => startCoordinator({ redisUrl: redis.url, dataDir: join(folder.path, 'data'), environment })
  server = await startServer()
  work = await createHandWork(server)
  const task = await work.begin('Fix the failing test.')
  taskId = task.id
  await task.say({ type: 'text.written', data: { text: 'The **greeting** was wrong before noon.' } })
  await task.end('failed')
  context = await startBrowserWithProfile(join(folder.path, 'profile'))
  page = await context.newPage()
  page.setDefaultTimeout(10_000)
  await signIn(page, (await work.api<SignInLink>('/auth/links', {})).url)
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)')
  session = await context.newCDPSession(page)
})
afterAll(async () => {
  await context?.close()
  await work?.close()
  await server?.stop()
  await redis?.stop()
  await folder?.remove()
})

type Picture = { src: string; sizes: string; type: string; purpose?: string }
type Manifest = { icons: Picture[]; screenshots?: Picture[] }

/** Width and height as a PNG's first chunk says them. */
function sizeOfPng(bytes: Buffer): string {
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`
}

/** A page that differs from the others by what runs before the app. */
async function pageWith(script: string): Promise<Page> {
  const other = await context.newPage()
  await other.addInitScript(script)
  return other
}

describe('installing', () => {
  it('is what Chromium offers: it finds nothing that would be in the way', async () => {
    await page.goto(server.url)
    await waitFor('no objection', async () => {
      expect((await session.send('Page.getInstallabilityErrors')).installabilityErrors).toEqual([])
      return true
    })
    const { url, errors } = await session.send('Page.getAppManifest')
    expect({ url, errors }).toEqual({ url: `${server.url}/manifest.webmanifest`, errors: [] })
  })

  it('has pictures that are there, of the type and the size that the manifest says', async () => {
    const { icons, screenshots = [] } = (await (await fetch(`${server.url}/manifest.webmanifest`)).json()) as Manifest
    const found = await Promise.all(
      [...icons, ...screenshots].map(async ({ src, sizes }) => {
        const answer = await fetch(server.url + src)
        const type = answer.headers.get('content-type')
        const bytes = Buffer.from(await answer.arrayBuffer())
        return { src, type, sizes: type === 'image/png' ? sizeOfPng(bytes) : sizes }
      }),
    )
    expect(found).toEqual([...icons, ...screenshots].map(({ src, type, sizes }) => ({ src, type, sizes })))
    expect(icons.filter(({ purpose }) => purpose === 'maskable')).toHaveLength(1)
    expect(icons.map(({ sizes }) => sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']))
  })

  it('is a button in the settings while the browser offers it, and words afterwards', async () => {
    await page.goto(`${server.url}/settings`)
    const install = page.getByRole('region', { name: 'Install' })
    const button = install.getByRole('button', { name: 'Install Errand' })
    await button.waitFor()
    expect(await axeFaults(page)).toEqual([])
    // Without a window there is nobody to answer Chromium's own dialog.
    await page.evaluate(`BeforeInstallPromptEvent.prototype.prompt = async () => { document.title = 'asked' }`)
    await button.click()
    await waitFor('the browser to ask', async () => (await page.title()) === 'asked')
    await install.getByText('in the browser’s menu').waitFor()
    expect(await button.count()).toBe(0)
  })

  it('is told in the words of an iPhone on one, where no offer comes', async () => {
    const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1'
    const phone = await pageWith(`
      addEventListener('beforeinstallprompt', (event) => event.stopImmediatePropagation())
      Object.defineProperty(navigator, 'userAgent', { value: '${userAgent}' })`)
    await phone.goto(`${server.url}/settings`)
    await phone.getByText('In Safari, tap Share').waitFor()
    await phone.close()
  })

  it.each([
    ['on Android and desks', `matchMedia = () => ({ matches: true, addEventListener() {} })`],
    ['on an iPhone', `Object.defineProperty(navigator, 'standalone', { value: true })`],
  ])('is not offered by the app that is installed: %s', async (_where, script) => {
    const app = await pageWith(script)
    await app.goto(`${server.url}/settings`)
    await app.getByRole('heading', { name: 'Devices and tokens' }).waitFor()
    expect(await app.getByRole('region', { name: 'Install' }).count()).toBe(0)
    await app.close()
  })
})

describe('without a network and without a server', () => {
  beforeAll(async () => {
    await page.goto(server.url)
    await page.getByRole('link', { name: /Fix the failing test/ }).click()
    await page.locator('.prose strong', { hasText: 'greeting' }).waitFor()
    await page.getByText('The agent repeated itself').waitFor()
    await page.goto(server.url)
    await page.getByRole('link', { name: /Fix the failing test/ }).waitFor()
    await context.setOffline(true)
    await server.stop()
  })

  it('opens with the last list, and says of when it is', async () => {
    await page.reload()
    await page.getByText(/^As of /).waitFor()
    await page.getByRole('link', { name: /Fix the failing test/ }).waitFor()
  })

  it('shows a task that was seen before as it was, also when its address is opened', async () => {
    await page.goto(`${server.url}/task/${taskId}`)
    await page.getByRole('heading', { level: 1, name: 'Fix the failing test.' }).waitFor()
    await page.locator('.prose strong', { hasText: 'greeting' }).waitFor()
    await page.getByText('Showing saved data').first().waitFor()
  })

  it('takes a new task, and sends it once when both are back', async () => {
    await page.goto(`${server.url}/new`)
    await page.getByLabel('Repository', { exact: true }).fill(`${server.url}/demo/git/hello.git`)
    await page.getByLabel('What should be done?').fill('written in a tunnel')
    await page.reload()
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('written in a tunnel')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('Saved on this device.').waitFor()
    await page.goto(server.url)
    server = await startServer()
    await context.setOffline(false)
    await page.getByRole('link', { name: /written in a tunnel/ }).waitFor()
    const { items } = await waitFor('the task at the server', async () => {
      const found = await work.api<TaskPage>('/api/tasks?search=tunnel')
      return found.items.length > 0 && found
    })
    expect(items.map(({ prompt }) => prompt)).toEqual(['written in a tunnel'])
    await waitFor('nothing about the past', async () => (await page.getByText(/^As of /).count()) === 0)
  })
})
