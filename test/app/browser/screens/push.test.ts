import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { NotificationSettings, SignInLink } from '../../../../contract/api/api.ts'
import { buildApp } from '../../../../setup/build/app.ts'
import { openPage, signIn, startWholeBrowser } from '../../../support/browser/browser.ts'
import { subscribeAt, watchWorker } from '../../../support/browser/push-browser.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type PushService, startPushService } from '../../../support/outside/push-service.ts'
import { createHandWork, type HandWork } from '../../../support/scripted/hand-work.ts'
import { startCoordinator, type TestCoordinator } from '../../../support/systems/coordinator.ts'

// A busy machine's browser takes its time to show a notification.
jest.setTimeout(90_000)
const PATIENCE_MS = 60_000

let service: PushService
let server: TestCoordinator
let work: HandWork
let browser: Browser
let context: BrowserContext
let page: Page
let hashes: string[]
let worker: Awaited<ReturnType<typeof watchWorker>>
/** What the app said over its socket. */
const said: string[] = []

beforeAll(async () => {
  await buildApp(join(import.meta.dirname, '../../../..'))
  service = await startPushService()
  server = await startCoordinator({ environment: { ERRAND_ALLOW_PRIVATE_WEBHOOKS: 'true' } })
  work = await createHandWork(server)
  browser = await startWholeBrowser()
  page = (await openPage(browser, { permissions: ['notifications'] })).page
  context = page.context()
  hashes = await subscribeAt(context, service)
  page.on('websocket', (line) => line.on('framesent', ({ payload }) => said.push(String(payload))))
  await signIn(page, (await work.api<SignInLink>('/auth/links', {})).url)
  worker = await watchWorker(context, page, server.url)
})
afterAll(async () => {
  await browser?.close()
  await work?.close()
  await server?.stop()
  await service?.stop()
})

type Sent = { title: string; body: string; taskId: string; url: string }
function settings() {
  return work.api<NotificationSettings>('/api/me/notifications')
}
async function received() {
  return (await service.received(hashes.at(-1) ?? '')) as Sent[]
}
async function receivedFor(taskId: string) {
  return (await received()).filter((sent) => sent.taskId === taskId)
}
function notification() {
  return waitFor('the notification', async () => (await worker.shown()).length, PATIENCE_MS)
}
async function open(path: string) {
  await page.goto(server.url + path)
  await page.getByRole('heading', { level: 1 }).waitFor()
}

describe('notifications in the browser', () => {
  it('are turned on in the settings, and the test reaches this device', async () => {
    await open('/settings')
    await page.getByRole('button', { name: 'Turn on' }).click()
    await page.getByText('On for this device.').waitFor()
    expect((await settings()).subscriptions).toBe(1)
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.getByText('Sent. It should appear').waitFor()
    await worker.deliver(JSON.stringify((await received())[0]))
    await notification()
    expect(await worker.shown()).toEqual([
      { title: 'Errand', body: 'Notifications reach this device.', tag: 'test', renotify: true, data: { url: server.url } },
    ])
  })
})

describe('the end of a task', () => {
  let id: string
  beforeEach(() => worker.clear())

  it('reaches the device as one notification with the title and the outcome, whatever was shown of the task before', async () => {
    await open('/')
    const task = await work.begin('Fix the failing test.\nAnd say nothing of this line.')
    id = task.id
    await task.end('failed')
    const [sent] = await waitFor('the push', async () => (await receivedFor(id)).length > 0 && receivedFor(id))
    expect(JSON.stringify(sent)).not.toContain('this line')
    await worker.deliver(JSON.stringify({ ...sent, body: 'An earlier word.' }))
    await notification()
    await worker.deliver(JSON.stringify(sent))
    await waitFor('the second in its place', async () => (await worker.shown())[0]?.body === sent?.body, PATIENCE_MS)
    expect(await worker.shown()).toEqual([
      { title: 'Fix the failing test.', body: sent?.body, tag: id, renotify: true, data: { url: `${server.url}/task/${id}` } },
    ])
  })

  it('is opened by a tap in the window that is there, without a reload', async () => {
    await open('/new')
    await page.getByLabel('What should be done?').fill('half a thought')
    await page.evaluate('globalThis.sameDocument = true')
    await worker.deliver(JSON.stringify((await receivedFor(id))[0]))
    await notification()
    await worker.tap()
    await page.waitForURL(`${server.url}/task/${id}`)
    await page.getByRole('heading', { level: 1, name: 'Fix the failing test.' }).waitFor()
    expect(await worker.shown()).toEqual([])
    expect(await worker.windows()).toEqual(['focus'])
    await page.goBack()
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('half a thought')
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true)
  })

  it('is taken away when its task comes to the front by itself', async () => {
    const [sent] = await receivedFor(id)
    await open('/')
    await worker.deliver(JSON.stringify({ ...sent, taskId: 'another' }))
    await notification()
    await worker.deliver(JSON.stringify(sent))
    await waitFor('both', async () => (await worker.shown()).length === 2, PATIENCE_MS)
    await page.locator(`a[href="/task/${id}"]`).click()
    await waitFor('the other alone', async () => (await worker.shown()).length === 1)
    expect(await worker.shown()).toMatchObject([{ tag: 'another' }])
  })

  it('is opened by a tap in a new window where only a page of the server is open', async () => {
    await page.goto(`${server.url}/docs/`)
    await worker.deliver(JSON.stringify((await receivedFor(id))[0]))
    await notification()
    await worker.tap()
    expect(await worker.windows()).toEqual([`open /task/${id}`])
  })

  it('leads to no other origin', async () => {
    await worker.deliver(JSON.stringify({ title: 'A page', url: 'https://evil.example/task/1' }))
    await notification()
    await worker.tap()
    expect(await worker.windows()).toEqual(['open /'])
  })

  it.each([
    ['not JSON at all', 'not JSON at all'],
    ['null', 'null'],
    ['', ''],
  ])('shows something also when the push is %j', async (data, body) => {
    await worker.deliver(data)
    await notification()
    expect(await worker.shown()).toMatchObject([{ title: 'Errand', body }])
  })
})

describe('a task that is in front', () => {
  const looksAt = (active: boolean, taskId: string) =>
    waitFor(`the app to say what is in front: ${active} ${taskId}`, () => {
      const last = said.findLast((frame) => frame.includes('"app:state"')) ?? 'nothing was said'
      return last.includes(`"active":${active},"taskId":"${taskId}"`) || Promise.reject(new Error(last))
    })

  it('is told of by its page alone; and by a push as soon as another page is in front', async () => {
    const first = await work.begin('watched')
    const second = await work.begin('watched and left')
    await open(`/task/${first.id}`)
    await looksAt(true, first.id)
    await first.end()
    await page.getByRole('heading', { name: 'Completed', exact: true }).waitFor()

    await open(`/task/${second.id}`)
    await looksAt(true, second.id)
    const session = await context.newCDPSession(page)
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: false })
    const other = await context.newPage()
    await other.bringToFront()
    await looksAt(false, second.id)
    await second.end()
    await waitFor('the push', async () => (await receivedFor(second.id)).length)
    expect(await receivedFor(first.id)).toEqual([])

    await other.close()
    await page.bringToFront()
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: true })
  })
})

describe('a subscription', () => {
  /** Opens the app, which tells the server of its subscription, and waits until it has done so. */
  const openAndTell = async () => {
    const told = page.waitForResponse(
      (response) => response.url().endsWith('/api/me/push/subscriptions') && response.request().method() === 'POST',
    )
    await open('/')
    await told
  }
  const forgetAtServer = async () => {
    const { endpoint } = JSON.parse(await page.evaluate<string>(`localStorage.getItem('test:push')`)) as { endpoint: string }
    await fetch(`${server.url}/api/me/push/subscriptions`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${server.ownerToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ endpoint }),
    })
    expect((await settings()).subscriptions).toBe(0)
    return endpoint
  }

  it('that the server lost is told again when the app opens', async () => {
    await openAndTell()
    await forgetAtServer()
    await open('/')
    await waitFor('the subscription at the server', async () => (await settings()).subscriptions === 1)
  })

  it('with a key that the server no longer has is made anew', async () => {
    const before = hashes.length
    await page.evaluate(`localStorage.setItem('test:push', JSON.stringify({
      ...JSON.parse(localStorage.getItem('test:push')), applicationServerKey: 'AAAA' }))`)
    await open('/')
    await waitFor('another subscription', () => hashes.length > before)
    await waitFor('it at the server, alone', async () => (await settings()).subscriptions === 1)
  })

  it('that the browser replaced by itself is told to the server', async () => {
    const oldEndpoint = await forgetAtServer()
    const { subscription } = await service.subscribe((await settings()).vapidPublicKey)
    await worker.fire(
      'pushsubscriptionchange',
      `{ oldSubscription: { endpoint: '${oldEndpoint}' },
         newSubscription: { endpoint: '${subscription.endpoint}', toJSON: () => (${JSON.stringify(subscription)}) } }`,
    )
    expect((await settings()).subscriptions).toBe(1)
  })

  it('ends with the sign-out, here and at the server', async () => {
    await open('/')
    await waitFor('both at the server', async () => (await settings()).subscriptions === 2)
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL('**/sign-in')
    expect(await page.evaluate(`localStorage.getItem('test:push')`)).toBe(null)
    expect((await settings()).subscriptions).toBe(0)
  })

  it('that is left shows a notification still, whose tap leads to its task after the next sign-in', async () => {
    const { id } = await work.begin('Told to nobody')
    await page.getByText('npx errand link').waitFor()
    await worker.clear()
    await worker.deliver(JSON.stringify({ title: 'Told to nobody', taskId: id, url: `${server.url}/task/${id}` }))
    await notification()
    await worker.tap()
    // The window has gone to the task and back to the sign-in when the place is kept.
    await waitFor('the place to be kept', () => page.evaluate(`localStorage.getItem('errand:return')`))
    await page.goto((await work.api<SignInLink>('/auth/links', {})).url)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Told to nobody' }).waitFor()
    expect(page.url()).toBe(`${server.url}/task/${id}`)
  })
})
