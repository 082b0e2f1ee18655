import type { Logger } from 'pino'

export type StopList = {
  /** A part that is added later stops earlier. */
  add: (name: string, step: () => Promise<unknown>) => void
  /** Runs every step once, one after another, even if an earlier one threw. A second call returns the same promise. */
  run: () => Promise<void>
}

/** Stops the parts of a process in the reverse of the order in which they were opened. */
export function createStopList(log: Logger): StopList {
  const steps: { name: string; step: () => Promise<unknown> }[] = []
  let running: Promise<void> | null = null
  const runAll = async () => {
    for (const { name, step } of steps.reverse()) {
      try {
        await step()
      } catch (error) {
        log.error({ event: 'stop.failed', part: name, err: error })
      }
    }
  }
  return {
    add: (name, step) => void steps.push({ name, step }),
    run: () => {
      running ??= runAll()
      return running
    },
  }
}
