const MINUTE_MS = 60_000
/** After this long without an event, the app asks whether to go on. */
const STUCK_MS = 5 * MINUTE_MS

/**
 * What to show of a silence.
 * @param keptWaitingAt when the user last chose to keep waiting; 0 for never
 */
export function silenceOf(now: number, heardAt: number, keptWaitingAt: number): { minutes: number; maybeStuck: boolean } {
  return {
    minutes: Math.max(0, Math.floor((now - heardAt) / MINUTE_MS)),
    maybeStuck: now - Math.max(heardAt, keptWaitingAt) >= STUCK_MS,
  }
}
