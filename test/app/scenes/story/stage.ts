import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { SignInLink } from '../../../../contract/api/api.ts'
import { openPage, signIn, startBrowser } from '../../../support/browser/browser.ts'
import { createScriptedRunner, runnerCalls, type ScriptedRunner } from '../../../support/scripted/scripted-runner.ts'
import { startCoordinator } from '../../../support/systems/coordinator.ts'
import { addUser } from '../../../support/systems/people.ts'

/** Who is in the scenes: Ada with her work, Lin on the first visit, Grace who keeps a task of every kind. All but Ada are no admins. */
export const PEOPLE = ['Ada', 'Grace', 'Lin'] as const
export type Person = (typeof PEOPLE)[number]

export type Stage = {
  url: string
  dataDir: string
  runner: ScriptedRunner
  calls: ReturnType<typeof runnerCalls>
  /** The attempts that go on: their leases are renewed as long as the stage stands. */
  held: Map<string, { taskId: string; attempt: number }>
  api: <T>(person: Person, path: string, body?: unknown, method?: string) => Promise<T>
  /** A page of a visitor of its own, signed in. */
  visit: (person: Person, options?: BrowserContextOptions) => Promise<Page>
  /** The same, of somebody whom the server does not know. */
  visitUnknown: (options?: BrowserContextOptions) => Promise<Page>
  stop: () => Promise<void>
}

const RENEW_EVERY_MS = 5_000
const SLOTS = 24

/** The real coordinator and a browser, and in the runner's place one that says what it is told to: every state can be had at once, and without an engine. */
export async function startStage(environment: Record<string, string> = {}): Promise<Stage> {
  // A key that nobody uses: with one it is no demo.
  const server = await startCoordinator({
    environment: { ANTHROPIC_API_KEY: 'unused', ...environment },
  })
  const browser = await startBrowser()
  const runner = await createScriptedRunner(server.redisUrl, 'attic')
  const calls = runnerCalls(server.url, server.runnerToken, 'attic', SLOTS)
  const { url, config } = server
  const tokens = new Map(PEOPLE.map((person) => [person, addUser(config.dataDir, person, { admin: person === 'Ada' })]))
  const held: Stage['held'] = new Map()
  const renewing = setInterval(() => void calls.renew([...held.values()]).catch(() => undefined), RENEW_EVERY_MS)

  const api: Stage['api'] = async (person, path, body, method = body === undefined ? 'GET' : 'POST') => {
    const headers = { authorization: `Bearer ${tokens.get(person)}`, 'content-type': 'application/json' }
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (response.status === 204 ? null : await response.json()) as never
  }
  const visit = createVisits(browser, async (person) => (await api<SignInLink>(person, '/auth/links', {})).url)

  return {
    url,
    dataDir: config.dataDir,
    runner,
    calls,
    held,
    api,
    visit,
    visitUnknown: async (options = {}) => (await openPage(browser, options)).page,
    stop: async () => {
      clearInterval(renewing)
      await browser.close()
      await runner.close()
      await server.stop()
    },
  }
}

/** Signs each person in once; the later pages come with the cookie of the first. */
function createVisits(browser: Browser, linkFor: (person: Person) => Promise<string>): Stage['visit'] {
  type Cookies = Awaited<ReturnType<ReturnType<Page['context']>['cookies']>>
  const known = new Map<Person, Cookies>()
  return async (person, options = {}) => {
    const { page } = await openPage(browser, options)
    const cookies = known.get(person)
    if (cookies) await page.context().addCookies(cookies)
    else {
      await signIn(page, await linkFor(person))
      known.set(person, await page.context().cookies())
      await page.evaluate('localStorage.clear()')
    }
    return page
  }
}
