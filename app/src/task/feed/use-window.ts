import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Rows that are on the page at first, and more of them at a time. */
const ROWS = 150
const MOST = 300

/**
 * Which rows are on the page: the newest, and earlier ones when asked for, without moving what is being read. Rows leave at the top only
 * while the person is at the end.
 * @param firstSeq of the earliest event that is loaded: when it sinks, rows were put before the others
 */
export const useWindow = (list: RefObject<HTMLElement | null>, count: number, firstSeq: number, atEnd: boolean) => {
  const [place, setPlace] = useState({ from: Math.max(0, count - ROWS), firstSeq, count })
  const next = placeFor(place, count, firstSeq, atEnd)
  useEffect(() => setPlace((now) => (now.from === next.from && now.count === count && now.firstSeq === firstSeq ? now : next)))
  const keep = useKeptPlace(list)
  const showEarlier = () => {
    keep()
    setPlace({ ...next, from: Math.max(0, next.from - ROWS) })
  }
  return { start: next.from, showEarlier, keep }
}

type Place = { from: number; firstSeq: number; count: number }

const placeFor = (place: Place, count: number, firstSeq: number, atEnd: boolean): Place => {
  if (firstSeq < place.firstSeq) return { from: Math.max(0, place.from + count - place.count - ROWS), firstSeq, count }
  const from = atEnd && count - place.from > MOST ? count - ROWS : Math.min(place.from, count)
  return { from, firstSeq, count }
}

/** @returns to be called before rows are put above: the first one of now stays where it is on the screen */
const useKeptPlace = (list: RefObject<HTMLElement | null>) => {
  const kept = useRef<{ row: Element; top: number } | null>(null)
  useEffect(() => {
    const follow = () => {
      if (kept.current) kept.current.top = kept.current.row.getBoundingClientRect().top
    }
    addEventListener('scroll', follow, { passive: true })
    return () => removeEventListener('scroll', follow)
  }, [])
  useLayoutEffect(() => {
    const { row, top } = kept.current ?? {}
    if (!row || top === undefined || row === list.current?.firstElementChild) return
    kept.current = null
    if (row.isConnected) scrollBy({ top: row.getBoundingClientRect().top - top, behavior: 'instant' })
  })
  return () => {
    const row = list.current?.firstElementChild
    kept.current = row ? { row, top: row.getBoundingClientRect().top } : null
  }
}
