import { type RefObject, startTransition, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Rows of the first render: more than any window shows. The others follow when the browser is idle. */
const FIRST = 40
/** Rows on the page after that, and rows that each "Show earlier" adds. */
const ROWS = 150
const MOST = 300

/**
 * Which rows are on the page: the newest, and earlier ones on request, without moving what the user reads. Rows leave at the top only
 * while the user is at the end.
 * @param firstSeq of the earliest loaded event: when it falls, earlier rows were added
 */
export function useWindow(list: RefObject<HTMLElement | null>, count: number, firstSeq: number, atEnd: boolean) {
  const [place, setPlace] = useState({ from: Math.max(0, count - FIRST), firstSeq, count })
  const next = placeFor(place, count, firstSeq, atEnd)
  useEffect(() => setPlace((now) => placeFor(now, count, firstSeq, atEnd)))
  const keep = useKeptPlace(list)
  const begin = useRef(() => {
    keep()
    startTransition(() => setPlace((now) => ({ ...now, from: Math.min(now.from, Math.max(0, now.count - ROWS)) })))
  })
  useEffect(() => begin.current(), [])
  const showEarlier = () => {
    keep()
    // A quick tap comes before the rows of the idle browser: it counts from where those begin.
    setPlace({ ...next, from: Math.max(0, Math.min(next.from, next.count - ROWS) - ROWS) })
  }
  return { start: next.from, showEarlier, keep }
}

type Place = { from: number; firstSeq: number; count: number }

/** @returns the same object if nothing changed */
function placeFor(place: Place, count: number, firstSeq: number, atEnd: boolean): Place {
  if (firstSeq < place.firstSeq) return { from: Math.max(0, place.from + count - place.count - ROWS), firstSeq, count }
  const from = atEnd && count - place.from > MOST ? count - ROWS : Math.min(place.from, count)
  return from === place.from && count === place.count && firstSeq === place.firstSeq ? place : { from, firstSeq, count }
}

/** @returns a function to call before rows are added above, so that what is on the screen stays where it is */
function useKeptPlace(list: RefObject<HTMLElement | null>) {
  const kept = useRef<{ first: Element; row: Element; top: number } | null>(null)
  useEffect(() => {
    const follow = () => {
      if (kept.current) kept.current.top = kept.current.row.getBoundingClientRect().top
    }
    addEventListener('scroll', follow, { passive: true })
    return () => removeEventListener('scroll', follow)
  }, [])
  useLayoutEffect(() => {
    if (!kept.current || kept.current.first === list.current?.firstElementChild) return
    const { row, top } = kept.current
    kept.current = null
    if (row.isConnected) scrollBy({ top: row.getBoundingClientRect().top - top, behavior: 'instant' })
  })
  return () => {
    const [first, second] = list.current?.children ?? []
    // The first row may change: its work may have begun further up.
    const row = second ?? first
    kept.current = first && row ? { first, row, top: row.getBoundingClientRect().top } : null
  }
}
