import type { Page } from 'playwright-core'

/** Has a screen throw as soon as it is shown. @param file the beginning of its file's name, as the bundler writes it */
export async function crashOn(page: Page, screen: string, file: string): Promise<void> {
  const body = `export function ${screen}() { throw new TypeError('planted') }`
  await page.route(`**/assets/${file}-*.js`, (route) => route.fulfill({ contentType: 'text/javascript', body }))
}
