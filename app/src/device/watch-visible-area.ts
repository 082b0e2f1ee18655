import { visibleArea } from './visible-area.ts'

/** Tells the styles how much of the page is visible: `data-low` on the root, and `--covered` for what sticks to the lower edge. */
export function watchVisibleArea(): void {
  const root = document.documentElement
  const update = () => {
    const { height, offsetTop, scale } = window.visualViewport ?? { height: root.clientHeight, offsetTop: 0, scale: 1 }
    const { isLow, coveredPx } = visibleArea({ pageHeight: root.clientHeight, seen: { height, offsetTop, scale } })
    root.toggleAttribute('data-low', isLow)
    root.style.setProperty('--covered', `${coveredPx}px`)
  }
  update()
  addEventListener('resize', update)
  for (const change of ['resize', 'scroll']) window.visualViewport?.addEventListener(change, update)
}
