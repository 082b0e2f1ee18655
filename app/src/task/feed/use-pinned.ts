import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Nearer to the end than this counts as being there, pixels. */
const NEAR = 40

/**
 * Keeps the page at its end while the content grows, but only for somebody who is there: whoever reads further up, or just opened
 * something, is left alone.
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
      // Only a person moves up. What is written between our own scrolling and its event must not count as having left the end.
      if (fromEnd() <= NEAR) pinned.current = true
      else if (top < before) pinned.current = false
      setAtEnd(pinned.current)
    }
    const follow = new ResizeObserver(() => (pinned.current ? toEnd() : setAtEnd(fromEnd() <= NEAR)))
    if (content.current) follow.observe(content.current)
    // The bar below the feed grows and shrinks too.
    follow.observe(document.body)
    addEventListener('scroll', note, { passive: true })
    return () => {
      follow.disconnect()
      removeEventListener('scroll', note)
    }
  }, [content, toEnd])

  /** To be called before something opens at the person's word: it must not push what they look at away. */
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
