import { TIME_RESERVE_MS } from '../../contract/wire/deadlines.ts'
import { failed } from '../../contract/wire/end.ts'

/** The working time of a turn, and one signal for everything that ends its work early. */
export type Clock = {
  signal: AbortSignal
  /** @returns the part of the time that is used, 0 to 1 */
  used: () => number
  /** Stops while it waits for the coordinator, and runs on afterwards. */
  pauseDuring: <T>(wait: () => Promise<T>) => Promise<T>
  stop: () => void
}

/** Ends the work when a person cancels, or early enough before the time limit to save it. */
export function startClock(limitMs: number, cancel: AbortSignal): Clock {
  const workMs = limitMs - Math.min(TIME_RESERVE_MS, limitMs / 4)
  const minutes = Math.round(limitMs / 60_000)
  const controller = new AbortController()
  const timeIsUp = () => controller.abort(failed('time_exceeded', `The limit is ${minutes} minutes.`))
  let usedMs = 0
  let since = performance.now()
  let timer: NodeJS.Timeout | null = setTimeout(timeIsUp, workMs)
  const stop = () => {
    if (!timer) return
    clearTimeout(timer)
    timer = null
    usedMs += performance.now() - since
  }
  return {
    signal: AbortSignal.any([cancel, controller.signal]),
    used: () => (timer ? usedMs + performance.now() - since : usedMs) / workMs,
    pauseDuring: async (wait) => {
      stop()
      try {
        return await wait()
      } finally {
        since = performance.now()
        timer = setTimeout(timeIsUp, Math.max(0, workMs - usedMs))
      }
    },
    stop,
  }
}
