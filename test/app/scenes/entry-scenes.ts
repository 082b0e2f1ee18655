import { crashOn } from '../../support/browser/browser.ts'
import { see } from '../../support/browser/see.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { asAda, asGrace, asMe, asNobody, breakDown, hang, open, press, type Scene } from './scene.ts'

/** The way in, and what stands around every screen. */
export const ENTRY_SCENES: readonly Scene[] = [
  asNobody('sign-in-link', (page, world) => open(page, world, '/', 'npx errand link')),
  asNobody('sign-in-github', async (page, world) => {
    await page.route('**/auth/ways', (route) => route.fulfill({ json: { github: true } }))
    await open(page, world, '/', 'Continue with GitHub')
  }),
  asNobody('sign-in-loading', async (page, world) => {
    await hang(page, '**/auth/ways')
    await page.goto(`${world.url}/sign-in`)
    await see(page.getByLabel('Loading'))
  }),
  asNobody('sign-in-unreachable', async (page, world) => {
    await page.route('**/auth/ways', (route) => route.abort())
    await open(page, world, '/', "Can't reach the server")
  }),
  asNobody('sign-in-link-spent', (page, world) => open(page, world, '/auth/link?code=spent', /link|Sign in/)),
  asAda('sign-in-ended', async (page, world) => {
    await open(page, world, '/', 'Fix the failing test')
    // An answer on its way may bring the cookie back, and the app may find out by itself meanwhile.
    const isTold = async () => {
      await page.context().clearCookies()
      await page.evaluate("document.querySelector('[type=search]')?.focus()")
      await page.keyboard.type('b')
      return page.getByText('You were signed out').isVisible()
    }
    await waitFor('the end of the session', isTold, 30_000, 200)
  }),
  asAda('start-error', async (page, world) => {
    await breakDown(page, '**/api/me')
    await open(page, world, '/', "Couldn't load this")
  }),
  asAda('keyboard', async (page, world) => {
    await open(page, world, '/', 'Fix the failing test')
    await page.keyboard.press('?')
    await see(page.getByRole('dialog', { name: 'Keyboard shortcuts' }))
  }),
  asAda('not-found', (page, world) => open(page, world, '/nowhere', "It doesn't exist, or you don't have access to it.")),
  asAda('crash', async (page, world) => {
    await crashOn(page, 'ProjectsScreen', 'projects-screen')
    await open(page, world, '/projects', 'Something went wrong')
  }),
  asAda('too-old', async (page, world) => {
    await page.routeWebSocket(/socket\.io/, (line) => {
      const server = line.connectToServer()
      // A newer server answers the ping with a newer number.
      server.onMessage((message) => line.send(String(message).replace('"protocol":1', '"protocol":2')))
    })
    await open(page, world, '/', 'This version of the app is out of date.')
  }),
  { name: 'new-version', person: 'Ada', serviceWorker: true, go: offerNewVersion },
  asAda('storage-full', async (page, world) => {
    await page.addInitScript(`IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError') }`)
    await open(page, world, '/', "This browser's storage is full")
  }),
  asGrace('no-demo-key', async (page, world) => {
    await asMe(page, { demo: true })
    await open(page, world, '/', 'a scripted agent')
  }),
  asAda('sign-out', async (page, world) => {
    await open(page, world, '/settings', 'Sign out')
    await press(page, 'Sign out')
    await see(page.getByRole('dialog'))
  }),
]

/** A worker that is installed and waits, as a browser tells of it. */
const WAITING_WORKER = `
  const waiting = Object.assign(new EventTarget(), { scriptURL: location.origin + '/sw.js', state: 'installed', postMessage() {} })
  navigator.serviceWorker.register = async () => Object.assign(new EventTarget(), { waiting, active: waiting, update: async () => {} })
`

async function offerNewVersion(...[page, world]: Parameters<Scene['go']>): Promise<void> {
  await page.addInitScript(WAITING_WORKER)
  await open(page, world, '/', 'A new version is ready.')
}
