import { roomIn } from './room.ts'

const root = document.documentElement

/** Tells the styles how much room there is: `data-low` on the root, and `--covered` for what sticks to the lower edge. */
function tell(): void {
  const { height, offsetTop, scale } = window.visualViewport ?? { height: root.clientHeight, offsetTop: 0, scale: 1 }
  const { isLow, coveredPx } = roomIn({ pageHeight: root.clientHeight, seen: { height, offsetTop, scale } })
  root.toggleAttribute('data-low', isLow)
  root.style.setProperty('--covered', `${coveredPx}px`)
}

tell()
addEventListener('resize', tell)
for (const change of ['resize', 'scroll']) window.visualViewport?.addEventListener(change, tell)
