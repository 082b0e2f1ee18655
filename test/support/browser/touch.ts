import type { Page } from 'playwright-core'

/** Every control that is on the page as a finger has it; see {@link touchFaults}. */
type Measured = { what: string; width: number; height: number; inText: boolean; fontPx: number | null }

/** CSS pixels: WCAG 2.5.5, and what Apple asks for. */
const TARGET_PX = 44
/** iOS zooms into a field with smaller letters. */
const INPUT_PX = 16
/** A box may end between two pixels. */
const ROUNDING_PX = 0.5

/**
 * What is too small for a finger: controls under 44 × 44 px, and fields with letters under 16 px. A link within a running text is as high
 * as its line, which WCAG 2.5.8 exempts ("Inline"). A field within its label is as large as the label, which works like it.
 */
export async function touchFaults(page: Page): Promise<string[]> {
  return faultsOf(await page.evaluate<Measured[]>(MEASURE))
}

function faultsOf(controls: readonly Measured[]): string[] {
  return controls.flatMap(({ what, width, height, inText, fontPx }) => {
    const isSmall = !inText && Math.min(width, height) < TARGET_PX - ROUNDING_PX
    const zooms = fontPx !== null && fontPx < INPUT_PX
    return [
      ...(isSmall ? [`${Math.round(width)} × ${Math.round(height)} px: ${what}`] : []),
      ...(zooms ? [`letters of ${fontPx} px: ${what}`] : []),
    ]
  })
}

/** Runs in the page. */
const MEASURE = `(() => {
  const isInText = (element) => {
    if (!element.matches('a') || getComputedStyle(element).display !== 'inline') return false
    const around = element.closest('p, li, td, th, dd, blockquote, h1, h2, h3, h4') ?? element.parentElement
    return around.textContent.trim().length > element.textContent.trim().length
  }
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .map((element) => {
      const { width, height } = (element.closest('label') ?? element).getBoundingClientRect()
      const isTyped = element.matches('select, textarea, input:not([type=checkbox], [type=radio])')
      return {
        what: element.outerHTML.replace(/\\s+/g, ' ').slice(0, 160),
        width, height, inText: isInText(element),
        fontPx: isTyped ? Number.parseFloat(getComputedStyle(element).fontSize) : null,
      }
    })
})()`
