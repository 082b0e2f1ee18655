import { useLayoutEffect } from 'react'

/** Whether the way to this screen was a step forward. On the way back the browser leads to where one was by itself. */
let isForward = false
for (const step of ['pushState', 'replaceState']) addEventListener(step, () => (isForward = true))
addEventListener('popstate', () => (isForward = false))

/**
 * A new screen begins at its top: the page is one, and would stay where the screen before had it. It stands first in a screen, so that
 * what its content then scrolls to (a feed to its end) counts.
 */
export function FromTheTop() {
  useLayoutEffect(() => {
    if (isForward) scrollTo({ top: 0, behavior: 'instant' })
  }, [])
  return null
}
