export type Loop = {
  /** Requests a run soon. Does not wait and never throws. */
  wake: () => void
  /** Starts no more runs; resolves when the last one has ended. */
  stop: () => Promise<void>
}

export type LoopOptions = {
  work: () => Promise<void>
  /** Is called with every failure; the next run tries again. */
  onError: (error: unknown) => void
  /** Runs at least this often, woken or not. */
  everyMs: number
  /** The minimum time between two runs, so that one run serves many wakes. */
  gapMs?: number
}

/** Runs `work` when woken and on a timer, one run at a time. A wake during a run causes one more. */
export function startLoop({ work, onError, everyMs, gapMs = 0 }: LoopOptions): Loop {
  let stopped = false
  let woken = false
  let running: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let endedAt = Number.NEGATIVE_INFINITY

  const schedule = (delayMs: number) => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(begin, delayMs)
  }
  const begin = () => {
    woken = false
    running = work()
      .catch(onError)
      .finally(() => {
        running = null
        endedAt = performance.now()
        schedule(woken ? gapMs : everyMs)
      })
  }
  const wake = () => {
    if (woken || stopped) return
    woken = true
    if (!running) schedule(Math.max(0, endedAt + gapMs - performance.now()))
  }
  const stop = async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
  schedule(everyMs)
  return { wake, stop }
}
