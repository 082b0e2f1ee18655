import type { Browser, BrowserContextOptions, CDPSession, Page } from 'playwright-core'

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
}

/** Lighthouse's slow 4G: 1.6 Mbit/s down, 750 kbit/s up, 150 ms for each request. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 }

export type Cookies = Awaited<ReturnType<ReturnType<Page['context']>['cookies']>>

/** Runs `use` in a page of a browser that has seen nothing yet but the sign-in. */
export async function withPhone<T>(
  browser: Browser,
  { cookies, cpu, slowNetwork }: { cookies: Cookies; cpu: number; slowNetwork: boolean },
  use: (page: Page, session: CDPSession) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext(PHONE)
  try {
    await context.addCookies(cookies)
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    if (slowNetwork) await session.send('Network.emulateNetworkConditions', SLOW_4G)
    await session.send('Emulation.setCPUThrottlingRate', { rate: cpu })
    return await use(page, session)
  } finally {
    await context.close()
  }
}
