import type { Locator, Page } from 'playwright-core'
import { waitFor } from '../checks/wait.ts'

const PATIENCE_MS = 60_000
/** A locator's own wait looks at most twice a second. */
const EVERY_MS = 50
const SHOWN_CHARACTERS = 1_000

/** Waits until an element is seen. @throws Error with what the page shows instead */
export async function see(locator: Locator): Promise<void> {
  try {
    await waitFor(String(locator), () => locator.isVisible(), PATIENCE_MS, EVERY_MS)
  } catch (error) {
    throw await withPage(error as Error, locator.page())
  }
}

/** @returns the error, with what the page shows */
export async function withPage(error: Error, page: Page): Promise<Error> {
  const shown = await page.evaluate<string>('document.body.innerText')
  return new Error(`${error.message}\nThe page shows:\n${shown.slice(0, SHOWN_CHARACTERS)}`, { cause: error })
}
