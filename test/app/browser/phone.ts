import type { BrowserContextOptions, Page } from 'playwright-core'
import type { SignInLink } from '../../../contract/api/api.ts'
import { openPage, signIn, startBrowser } from '../../support/browser/browser.ts'
import { startCoordinator } from '../../support/systems/coordinator.ts'
import { startRedis } from '../../support/systems/redis.ts'

/** The narrowest phone that the app promises to fit. No service worker: it would answer before what a test stands in for. */
export const SMALL = {
  viewport: { width: 320, height: 640 },
  hasTouch: true,
  isMobile: true,
  serviceWorkers: 'block',
} as const satisfies BrowserContextOptions

export type Phone = Awaited<ReturnType<typeof startPhone>>

/** A browser before a coordinator of its own. */
export async function startPhone() {
  const redis = await startRedis()
  const server = await startCoordinator({ redisUrl: redis.url })
  const browser = await startBrowser()

  /** @throws Error with the server's answer when it is none of success */
  const api = async <T>(
    path: string,
    body?: unknown,
    { method = body === undefined ? 'GET' : 'POST', token = server.ownerToken } = {},
  ): Promise<T> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(server.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  /** A one-time link for whoever has the token. */
  const link = async (token?: string) => (await api<SignInLink>('/auth/links', {}, { token })).url
  return {
    server,
    browser,
    api,
    link,
    /** A page that is signed in, in a browser profile of its own. */
    visit: async (options: BrowserContextOptions = SMALL, token?: string): Promise<Page> => {
      const { page } = await openPage(browser, options)
      await signIn(page, await link(token))
      return page
    },
    stop: async () => {
      await browser.close()
      await server.stop()
      await redis.stop()
    },
  }
}
