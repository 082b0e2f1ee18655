import type { BrowserContext, CDPSession, Page, Worker } from 'playwright-core'
import { waitFor } from '../checks/wait.ts'
import type { PushService } from '../outside/push-service.ts'

export type Shown = { title: string; body: string; tag: string; renotify: boolean; data: { url?: string } }

/**
 * Has a browser's pages subscribe at a push service of the test's own: the browser's real one is on the internet. All else of it is real.
 * @returns the subscriptions that its pages made, newest last
 */
export async function subscribeAt(context: BrowserContext, service: PushService): Promise<string[]> {
  const hashes: string[] = []
  await context.exposeFunction('subscribeForTest', async (key: string) => {
    const { subscription, hash } = await service.subscribe(key)
    hashes.push(hash)
    return subscription
  })
  await context.addInitScript(`
    const read = () => JSON.parse(localStorage.getItem('test:push'))
    const made = ({ endpoint, keys, applicationServerKey: key }) => ({
      endpoint,
      options: { applicationServerKey: Uint8Array.from(atob(key.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer },
      toJSON: () => ({ endpoint, expirationTime: null, keys }),
      unsubscribe: async () => (localStorage.removeItem('test:push'), true),
    })
    PushManager.prototype.getSubscription = async () => read() && made(read())
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
      const kept = { ...(await subscribeForTest(applicationServerKey)), applicationServerKey }
      localStorage.setItem('test:push', JSON.stringify(kept))
      return made(kept)
    }`)
  return hashes
}

/** The app's service worker, seen from outside: what it is given, what it shows, and what a tap on that does. */
export async function watchWorker(context: BrowserContext, page: Page, origin: string) {
  const worker = await waitFor('the service worker', () => context.serviceWorkers()[0])
  const session = await context.newCDPSession(page)
  const registrationId = await registrationOf(session, origin)
  await worker.evaluate(RECORD_WINDOWS)
  return {
    /** As the browser does with what the push service brings. On a busy machine the debugger may lose one; it is given again then. */
    deliver: async (data: string) => {
      const before = await worker.evaluate<number>('self.pushes')
      const shownBefore = await worker.evaluate<number>('self.noticesShown')
      const hasCome = async () => (await worker.evaluate<number>('self.pushes')) > before
      await waitFor(
        'the push to reach the worker',
        async () => {
          await session.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
          return waitFor('it to come', hasCome, 5_000)
        },
        15_000,
      )
      // Chromium drops a notification from its list for good when the list is asked for while the notification is being shown. So nobody
      // may ask before it is.
      await waitFor(
        'the notification to be shown',
        async () => (await worker.evaluate<number>('self.noticesShown')) > shownBefore,
        30_000,
      )
    },
    shown: () => worker.evaluate<Shown[]>(SHOWN),
    clear: () => worker.evaluate('registration.getNotifications().then((all) => all.forEach((one) => one.close()))'),
    /** A tap on the only notification. */
    tap: () => tap(worker),
    /** An event of the browser's own that it has no other way to cause. */
    fire: (type: string, members: string) => fire(worker, `new ExtendableEvent('${type}')`, members),
    /** The windows that were asked for since the last call. */
    windows: () => worker.evaluate<string[]>('self.askedFor.splice(0)'),
  }
}

const SHOWN = `registration.getNotifications().then((all) => all.map(({ title, body, tag, renotify, data }) => ({ title, body, tag, renotify, data })))`

/** Without a real finger the browser lets no worker open or focus a window: what it asks for is noted instead, and what it has shown. */
const RECORD_WINDOWS = `
  self.askedFor = []
  self.noticesShown = 0
  const show = ServiceWorkerRegistration.prototype.showNotification
  ServiceWorkerRegistration.prototype.showNotification = async function (...notice) {
    await show.apply(this, notice)
    self.noticesShown += 1
  }
  self.pushes = 0
  self.addEventListener('push', () => { self.pushes += 1 })
  Clients.prototype.openWindow = async (url) => (self.askedFor.push('open ' + url), null)
  WindowClient.prototype.focus = async function () { return self.askedFor.push('focus'), this }`

function registrationOf(session: CDPSession, origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL === `${origin}/`)
      if (found) resolve(found.registrationId)
    })
    session.send('ServiceWorker.enable').catch(reject)
  })
}

function tap(worker: Worker) {
  return fire(
    worker,
    `new NotificationEvent('notificationclick', { notification: (await registration.getNotifications())[0] })`,
    '{}',
  )
}

/** An event that a script made cannot be extended: what the worker waits for is waited for here. */
function fire(worker: Worker, event: string, members: string): Promise<void> {
  return worker.evaluate(`(async () => {
    let work
    const event = Object.defineProperty(${event}, 'waitUntil', { value: (promise) => { work = promise } })
    self.dispatchEvent(Object.assign(event, ${members}))
    await work
  })()`)
}
