import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Within this distance of the end, in pixels, the user counts as being there. */
const NEAR = 40

/**
 * Keeps the page at its end while the content grows, but only if the user is there. It never moves the page for a user who reads further
 * up or has just opened something.
 */
export function usePinned(content: RefObject<HTMLElement | null>) {
  const pinned = useRef(true)
  const [atEnd, setAtEnd] = useState(true)

  const toEnd = useCallback(() => {
    pinned.current = true
    setAtEnd(true)
    const page = scroller()
    page.scrollTop = page.scrollHeight
  }, [])

  useLayoutEffect(() => toEnd(), [toEnd])
  useEffect(() => {
    let top = scroller().scrollTop
    const note = () => {
      const before = top
      top = scroller().scrollTop
      // Only the user scrolls up. Content that arrives between our own scroll and its event must not count as leaving the end.
      if (fromEnd() <= NEAR) pinned.current = true
      else if (top < before) pinned.current = false
      setAtEnd(pinned.current)
    }
    const follow = new ResizeObserver(() => (pinned.current ? toEnd() : setAtEnd(fromEnd() <= NEAR)))
    if (content.current) follow.observe(content.current)
    // The footer grows and shrinks too.
    follow.observe(document.body)
    addEventListener('scroll', note, { passive: true })
    return () => {
      follow.disconnect()
      removeEventListener('scroll', note)
    }
  }, [content, toEnd])

  /** Call this before something opens at the user's tap: it must not push away what they look at. */
  const hold = useCallback(() => {
    pinned.current = false
  }, [])
  return { atEnd, toEnd, hold }
}

export function scroller(): Element {
  return document.scrollingElement ?? document.documentElement
}

function fromEnd(): number {
  const page = scroller()
  return page.scrollHeight - page.scrollTop - page.clientHeight
}
