import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** The README's pictures: which scenes stand beside each other, in which look. */
const PLATES = {
  'app-light': { look: 'light', width: 390, scenes: ['tasks', 'task-plan', 'task-work-open', 'task-done'] },
  'app-dark': { look: 'dark', width: 390, scenes: ['tasks', 'task-messages', 'changes-file', 'new-filled'] },
  'app-desk': { look: 'light', width: 1280, scenes: ['task-work-open'] },
} as const

const STYLE = `body { margin: 0; display: flex; align-items: flex-start; gap: 20px; padding: 20px; width: max-content; background: #8b877d }
  img { display: block; width: 380px; border-radius: 26px } img.desk { width: 1180px; border-radius: 12px }`

/** Puts pictures that were taken into rows. @returns the names of the plates whose scenes are all there */
export async function makePlates(page: Page, folder: string, taken: ReadonlySet<string>): Promise<string[]> {
  const whole = Object.entries(PLATES).filter(([, { scenes }]) => scenes.every((name) => taken.has(name)))
  for (const [plate, { look, width, scenes }] of whole) {
    const pictures = scenes.map((name) => readFile(join(folder, String(width), look, `${name}.png`), 'base64'))
    const images = (await Promise.all(pictures)).map(
      (data) => `<img class="${width > 390 ? 'desk' : 'phone'}" alt="" src="data:image/png;base64,${data}">`,
    )
    await page.setContent(`<!doctype html><style>${STYLE}</style>${images.join('')}`, { waitUntil: 'load' })
    await page.locator('body').screenshot({ path: join(folder, `${plate}.png`) })
  }
  return whole.map(([plate]) => plate)
}
