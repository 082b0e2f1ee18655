import { useEffect, useRef, useState } from 'react'
import type { Feed } from '../model/feed.ts'

/** The time, milliseconds since 1970, once a second while `running`. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}

/**
 * When something was last heard of a task, by this device's clock, milliseconds since 1970. For what came before the screen opened the
 * event's own time counts; after that the moment it arrived, so that two clocks that differ make no silence.
 */
export function useHeardAt({ lastSeq, lastAt }: Feed, live: string | null): number {
  const heard = useRef({ lastSeq: 0, live: live?.length ?? 0, at: 0 })
  const { lastSeq: before, live: length } = heard.current
  if (before === 0) heard.current = { lastSeq, live: live?.length ?? 0, at: lastAt || Date.now() }
  else if (lastSeq !== before || (live?.length ?? 0) !== length)
    heard.current = { lastSeq, live: live?.length ?? 0, at: Date.now() }
  return heard.current.at
}
