import type { BrowserContextOptions, Page } from 'playwright-core'
import type { SignInLink } from '../../../contract/api/api.ts'
import { openPage, signIn, startBrowser } from '../../support/browser/browser.ts'
import { startCoordinator } from '../../support/systems/coordinator.ts'

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
  const server = await startCoordinator()
  const browser = await startBrowser()

  /** A one-time link for whoever has the token. */
  const link = async (token?: string) => (await server.ask<SignInLink>('/auth/links', {}, { token })).url
  return {
    server,
    browser,
    api: server.ask,
    /** Sends a task on the demo repository. */
    send: (prompt: string) => server.send({ repoUrl: server.demoRepoUrl, prompt }),
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
    },
  }
}
