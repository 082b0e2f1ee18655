import type { Logger } from 'pino'

/**
 * An error log for places that can fail thousands of times a second (a lost Redis): at most one line in `everyMs`, with the number of
 * those left out since the last.
 */
export function seldom(log: Logger, event: string, everyMs = 1_000): (error: unknown) => void {
  let last = Number.NEGATIVE_INFINITY
  let leftOut = 0
  return (error) => {
    const now = performance.now()
    if (now - last < everyMs) {
      leftOut += 1
      return
    }
    log.error({ event, err: error, leftOut })
    last = now
    leftOut = 0
  }
}
