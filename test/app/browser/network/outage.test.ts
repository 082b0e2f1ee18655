import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Message, SignInLink } from '../../../../contract/api/api.ts'
import { openPage, signIn, startBrowser } from '../../../support/browser/browser.ts'
import { expectNeverWrong, keepMoments } from '../../../support/browser/feed-moments.ts'
import { rowsInPage, rowsOf } from '../../../support/browser/feed-rows.ts'
import { withPage } from '../../../support/browser/see.ts'
import { waitFor } from '../../../support/checks/wait.ts'
import { type GitServer, startGitServer } from '../../../support/outside/git-server.ts'
import { STEPS, type SteppingModel, startSteppingModel } from '../../../support/outside/stepping-model.ts'
import { startTcpProxy, type TcpProxy } from '../../../support/outside/tcp-proxy.ts'
import { type System, startSystem } from '../../../support/systems/system.ts'

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  serviceWorkers: 'block',
}
const GIT = { username: 'x', password: 'git-password' }
const PATIENCE_MS = 180_000
/** The server gives up a line that is silent for 40 s. */
const FROZEN_MS = 60_000
/** Within three seconds on a quiet machine, two and a half of which may be the wait for a dead line; left alone, it takes 45. */
const TRUTH_MS = 10_000

let system: System
let model: SteppingModel
let git: GitServer
let proxy: TcpProxy
let browser: Browser
let page: Page
let repoUrl: string

beforeAll(async () => {
  model = await startSteppingModel('sk-key')
  git = await startGitServer(GIT)
  proxy = await startTcpProxy()
  repoUrl = (await git.addRepository('ada/engine', { files: { 'a.txt': 'a\n' } })).url
  system = await startSystem({
    environment: {
      ANTHROPIC_API_KEY: 'sk-key',
      ANTHROPIC_BASE_URL: model.url,
      ERRAND_GIT_HOSTS: new URL(repoUrl).origin,
      ERRAND_BUDGET_USD: '100',
      ERRAND_PUBLIC_URL: proxy.url,
    },
  })
  proxy.leadTo(system.url)
  const { host } = new URL(repoUrl)
  await system.api('/api/me/credentials', { method: 'PUT', body: { host, username: GIT.username, token: GIT.password } })
  browser = await startBrowser()
  page = await visit()
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
  await Promise.all([model?.stop(), git?.stop(), proxy?.stop()])
})

async function visit(): Promise<Page> {
  const { page } = await openPage(browser, PHONE)
  await keepMoments(page)
  await signIn(page, (await system.api<SignInLink>('/auth/links', { method: 'POST', body: {} })).body.url)
  return page
}

/** Sends a task and opens it where the agent waits before a step. */
async function watch(prompt: string, step: number, ...pages: Page[]): Promise<string> {
  const { id } = await system.send({ repoUrl, prompt })
  model.letGo(prompt, step - 1)
  for (const one of pages) await one.goto(`${proxy.url}/task/${id}`)
  await waitFor(`step ${step} of "${prompt}"`, () => model.asked(prompt) === step, PATIENCE_MS)
  return id
}

/** It comes to show what the store has, and on the way there showed nothing else at any moment. */
async function expectTruth(id: string, shown: Page) {
  await waitFor(
    'the page to show what the store has',
    async () => {
      expect(await rowsInPage(shown)).toEqual(rowsOf(await system.events(id)))
      return true
    },
    PATIENCE_MS,
    100,
  ).catch(async (error) => {
    throw await withPage(error, shown)
  })
  await expectNeverWrong(shown, await system.events(id))
}

async function restart(how: 'kill' | 'stop') {
  // It is alive until then.
  process.kill(system.coordinator.pid(), 0)
  await system.coordinator[how]()
  await system.coordinator.start()
}

function tookSince(since: number) {
  return Math.round(performance.now() - since)
}

function composer() {
  return page.getByLabel('Message to the agent')
}
async function say(text: string) {
  await composer().fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).tap()
}
async function messagesOf(id: string) {
  return (await system.api<{ items: Message[] }>(`/api/tasks/${id}/messages`)).body.items
}
async function saying(id: string, text: string) {
  return (await messagesOf(id)).filter((message) => message.text === text)
}

/** What fingers touch from now on, a button that is disabled too. */
const NOTE_TAPS = `
  window.tapped = []
  addEventListener('touchend', ({ target }) => tapped.push(target.closest('button')?.title), { capture: true })`

describe('a page that was frozen for a minute', () => {
  // The minute passes while the other pages are tried.
  let asleep: Page
  let setState: (state: 'frozen' | 'active') => Promise<unknown>
  let frozenAt = 0
  let id: string

  it('misses how its task goes on and ends', async () => {
    asleep = await visit()
    id = await watch('sleep over this', 3, asleep)
    await expectTruth(id, asleep)
    const debug = await asleep.context().newCDPSession(asleep)
    setState = (state) => debug.send('Page.setWebLifecycleState', { state })
    await setState('frozen')
    frozenAt = performance.now()
    model.letGo('sleep over this', STEPS)
    await system.ended(id)
  })

  describe('meanwhile, another page', () => {
    it('shows what the store has after the server was killed and started again under it, and so does a second phone', async () => {
      const second = await visit()
      const id = await watch('through a crash', 3, page, second)
      await restart('kill')
      model.letGo('through a crash', 4)
      await waitFor('the next step', () => model.asked('through a crash') === 5, PATIENCE_MS)
      await restart('kill')
      model.letGo('through a crash', STEPS)
      await system.ended(id)
      await expectTruth(id, page)
      await expectTruth(id, second)
      await second.context().close()
    })

    it('shows what the store has after the server was restarted', async () => {
      const id = await watch('through a restart', 3, page)
      await restart('stop')
      model.letGo('through a restart', STEPS)
      await system.ended(id)
      await expectTruth(id, page)
    })

    it('sends once what was tapped three times without a network, and what the server took without an answer', async () => {
      const id = await watch('through a tunnel', 2, page)
      await page.context().setOffline(true)
      await composer().fill('steer in a tunnel')
      await page.evaluate(NOTE_TAPS)
      const send = page.getByRole('button', { name: 'Send', exact: true })
      for (let tap = 0; tap < 3; tap++) await send.tap({ force: true })
      expect(await page.evaluate('tapped')).toEqual(['Send', 'Send', 'Send'])
      await page.getByText("Sends when you're back online").waitFor()
      await page.context().setOffline(false)
      await waitFor('the message at the server', async () => (await saying(id, 'steer in a tunnel')).length > 0, PATIENCE_MS)

      let taken = false
      let cut = false
      await page.route('**/messages', async (route) => {
        if (route.request().method() !== 'POST' || taken) return route.continue()
        taken = true
        await route.fetch()
        await route.abort()
        cut = true
      })
      await say('steer without an answer')
      await waitFor('the answer to be cut', () => cut, PATIENCE_MS)
      await page.getByText(/^(Sending…|Sends when)/).waitFor({ state: 'detached', timeout: PATIENCE_MS })
      await page.unroute('**/messages')
      model.letGo('through a tunnel', STEPS)
      await system.ended(id)
      expect((await messagesOf(id)).map(({ text, state }) => [text, state])).toEqual([
        ['through a tunnel', 'delivered'],
        ['steer in a tunnel', 'delivered'],
        ['steer without an answer', 'delivered'],
      ])
      await expectTruth(id, page)
    })

    it('begins a turn, once, with what is sent to a task that ended a second ago', async () => {
      const prompt = 'over in a moment'
      const id = await watch(prompt, STEPS, page)
      await composer().fill('and now this')
      model.letGo(prompt, STEPS)
      await system.ended(id)
      await page.getByRole('button', { name: 'Send', exact: true }).tap()
      model.letGo(prompt, 2 * STEPS)
      await waitFor(
        'the second turn to end',
        async () => {
          const { turn, status } = await system.task(id)
          return turn === 2 && status === 'completed'
        },
        PATIENCE_MS,
        200,
      )
      expect(await saying(id, 'and now this')).toHaveLength(1)
      await expectTruth(id, page)
    })

    it('takes back a message in the moment that the agent takes it: page and store tell the same', async () => {
      const prompt = 'who is first'
      const id = await watch(prompt, 2, page)
      await say('steer, or do not')
      const back = page.getByRole('button', { name: 'Unsend' })
      await back.waitFor()
      // The tap is on its way first, lest the agent take the button away too; who wins is the server's to decide.
      const tapped = back.dispatchEvent('click')
      model.letGo(prompt, STEPS)
      await tapped
      await system.ended(id)
      expect(await saying(id, 'steer, or do not')).toHaveLength(1)
      await expectTruth(id, page)
    })

    it('tries an ended task again, once, though the server is away at the first tap', async () => {
      const prompt = 'once more'
      const id = await watch(prompt, 2, page)
      await page.getByRole('button', { name: 'Cancel task' }).tap()
      await system.ended(id)
      await page.getByRole('button', { name: 'More' }).tap()
      await page.getByRole('button', { name: 'Try again…' }).tap()
      const sheet = page.getByRole('dialog')
      await system.coordinator.kill()
      await sheet.getByRole('button', { name: 'Try again' }).tap()
      await sheet.getByText("The server didn't answer.").waitFor()
      await system.coordinator.start()
      model.letGo(prompt, 2 * STEPS)
      await sheet.getByRole('button', { name: 'Try again' }).tap()
      await sheet.waitFor({ state: 'detached' })
      const task = await system.ended(id)
      expect(task).toMatchObject({ turn: 2, status: 'completed' })
      await expectTruth(id, page)
    })

    it('shows the truth soon after coming back from a way that went dead', async () => {
      const prompt = 'into the lift'
      const id = await watch(prompt, 3, page)
      proxy.freeze()
      model.letGo(prompt, STEPS)
      await system.ended(id)
      expect(await rowsInPage(page)).not.toEqual(rowsOf(await system.events(id)))
      const back = performance.now()
      await page.evaluate("dispatchEvent(new Event('online'))")
      await expectTruth(id, page)
      expect(tookSince(back)).toBeLessThan(TRUTH_MS)
    })
  })

  it('shows the truth soon after coming back', async () => {
    await waitFor('a minute to pass', () => performance.now() - frozenAt > FROZEN_MS, FROZEN_MS + 10_000, 500)
    const back = performance.now()
    await setState('active')
    await expectTruth(id, asleep)
    expect(tookSince(back)).toBeLessThan(TRUTH_MS)
  })
})
