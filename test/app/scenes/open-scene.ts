import type { BrowserContextOptions, Page } from 'playwright-core'
import { waitFor } from '../../support/checks/wait.ts'
import type { Scene, World } from './scene.ts'

/** A page of its own with the scene on it, at rest: what comes late (markdown, the screen's own files) is there. */
export async function openScene(
  world: World,
  { person, go, serviceWorker }: Scene,
  options: BrowserContextOptions,
): Promise<Page> {
  const whole = { ...options, serviceWorkers: serviceWorker ? 'allow' : 'block' } as const
  const page = await (person === null ? world.visitUnknown(whole) : world.visit(person, whole))
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await go(page, world)
  await waitFor('the markdown', async () => (await page.locator('.prose.plain').count()) === 0)
  return page
}

/** In these colours, without the frames in between. */
export async function inLook(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await waitFor('the end of the transitions', () => page.evaluate<boolean>('document.getAnimations().length === 0'))
}
