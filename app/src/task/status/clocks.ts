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
 * When the task was last heard from, in milliseconds since 1970 by this device's clock. For events from before the screen opened this is
 * the event's own time; for later ones it is their arrival, so that two differing clocks do not look like silence.
 */
export function useHeardAt({ lastSeq, lastAt }: Feed, live: string | null): number {
  const heard = useRef({ lastSeq: 0, live: live?.length ?? 0, at: 0 })
  const { lastSeq: before, live: length } = heard.current
  if (before === 0) heard.current = { lastSeq, live: live?.length ?? 0, at: lastAt || Date.now() }
  else if (lastSeq !== before || (live?.length ?? 0) !== length)
    heard.current = { lastSeq, live: live?.length ?? 0, at: Date.now() }
  return heard.current.at
}
