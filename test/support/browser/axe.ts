import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A dialog that is just opening is half transparent, and so has hardly any contrast. What pulses for ever is not waited for. */
const COME_TO_REST = `Promise.allSettled(
  document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations !== Infinity).map(({ finished }) => finished),
)`

/** What axe finds wrong on the page as it is, in words that say where. */
export async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(COME_TO_REST)
  // As the debugger's own, which the page's policy does not bind.
  await page.evaluate(source)
  return page.evaluate(async () => {
    type Run = { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    const { violations } = await (globalThis as unknown as { axe: Run }).axe.run()
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  })
}
