import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A dialog that is just opening is half transparent, and so has hardly any contrast. What pulses for ever is not waited for. */
const COME_TO_REST = `Promise.allSettled(
  document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations !== Infinity).map(({ finished }) => finished),
)`

/** What axe finds wrong on the page as it is, with a piece of the element. @param rules the rules to check; all of them by default */
export async function axeFaults(page: Page, rules: readonly string[] = []): Promise<string[]> {
  await page.evaluate(COME_TO_REST)
  // Evaluated by the debugger, because the page's policy would refuse a script. A page that has it already keeps it.
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(source)
  return page.evaluate(async (only) => {
    type Options = { runOnly?: readonly string[] }
    type Run = { run: (options: Options) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    const { violations } = await (globalThis as unknown as { axe: Run }).axe.run(only.length > 0 ? { runOnly: only } : {})
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  }, rules)
}
