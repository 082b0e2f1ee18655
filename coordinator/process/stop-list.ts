import type { Logger } from 'pino'

export type StopList = {
  /** What is added later stops earlier. */
  add: (name: string, step: () => Promise<unknown>) => void
  /** Stops before everything else, whenever that was added. */
  addFirst: (name: string, step: () => Promise<unknown>) => void
  /** Runs every step once, one after another, also when one before threw. Called again, it gives the same promise. */
  run: () => Promise<void>
}

/** How a process of many parts ends: in the reverse of the order in which they began. */
export function createStopList(log: Logger): StopList {
  type Step = { name: string; step: () => Promise<unknown> }
  const first: Step[] = []
  const rest: Step[] = []
  let running: Promise<void> | null = null
  const runAll = async () => {
    for (const { name, step } of [...first, ...rest.reverse()]) {
      try {
        await step()
      } catch (error) {
        log.error({ event: 'stop.failed', part: name, err: error })
      }
    }
  }
  return {
    add: (name, step) => void rest.push({ name, step }),
    addFirst: (name, step) => void first.push({ name, step }),
    run: () => {
      running ??= runAll()
      return running
    },
  }
}
