import type { Logger } from 'pino'

/**
 * Logs errors of a place that can fail thousands of times a second (a lost Redis): at most one line every `everyMs`, with the number of
 * errors left out since.
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
