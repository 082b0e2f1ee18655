export type Repeating = {
  /** Starts no further round, and returns when the current one has ended. */
  stop: () => Promise<void>
}

/**
 * Does `work` again and again, each round `everyMs` after the end of the last one.
 * @param work never throws
 */
export function startRepeating(work: () => Promise<unknown>, everyMs: number, firstMs: number = everyMs): Repeating {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let round: Promise<unknown> = Promise.resolve()
  const schedule = (ms: number) => {
    if (stopped) return
    timer = setTimeout(() => {
      round = work().finally(() => schedule(everyMs))
    }, ms)
  }
  schedule(firstMs)
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await round
    },
  }
}
