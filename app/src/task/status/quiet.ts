const MINUTE_MS = 60_000
/** After this long without a word it is worth asking whether to go on. */
const STUCK_MS = 5 * MINUTE_MS

/**
 * What a silence is worth saying.
 * @param keptWaitingAt when a person last chose to wait on; 0 for never
 */
export function silenceOf(now: number, heardAt: number, keptWaitingAt: number): { minutes: number; maybeStuck: boolean } {
  return {
    minutes: Math.max(0, Math.floor((now - heardAt) / MINUTE_MS)),
    maybeStuck: now - Math.max(heardAt, keptWaitingAt) >= STUCK_MS,
  }
}
