import type { Logger } from 'pino'

/**
 * Logs errors of a place that can fail thousands of times a second (a lost Redis): one line in `everyMs` at most, with the number of
 * errors that it left out since the last line.
 */
export function rateLimitedLog(log: Logger, event: string, everyMs = 1_000): (error: unknown) => void {
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
