import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const LAUNCH = {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
}

/** Debian's build of the same engine without the browser around it: a page takes half of the processor time. */
const SHELL = '/usr/bin/chromium-headless-shell'

/** Chromium without a window and without calls of its own to the internet: its headless shell if that is installed. */
export function startBrowser(): Promise<Browser> {
  return existsSync(SHELL) ? chromium.launch({ ...LAUNCH, executablePath: SHELL }) : startWholeBrowser()
}

/** Its headless shell has no notifications. */
export function startWholeBrowser(): Promise<Browser> {
  return chromium.launch(LAUNCH)
}

/** The same with a profile on disk: to a visitor without one, Chromium offers no installation. */
export function startBrowserWithProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, LAUNCH)
}

/** A page of a visitor of its own; `faults` gathers what the browser refused or could not run. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext(options)).newPage()
  // Long enough for a busy machine; shorter than a test's own limit, so that a failure names the element that was waited for.
  page.setDefaultTimeout(60_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return { page, faults }
}

/** Signs the page in by a one-time link, as a person does. */
export async function signIn(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/')
}

/** Has a screen throw as soon as it is shown. @param file the beginning of its file's name, as the bundler writes it */
export async function crashOn(page: Page, screen: string, file: string): Promise<void> {
  const body = `export function ${screen}() { throw new TypeError('planted') }`
  await page.route(`**/assets/${file}-*.js`, (route) => route.fulfill({ contentType: 'text/javascript', body }))
}
