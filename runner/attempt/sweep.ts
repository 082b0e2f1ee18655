import type { Logger } from 'pino'
import type { SandboxEngine } from '../sandbox/sandbox.ts'

export type Sweep = {
  /** Counts the attempt as under way for as long as the work takes: its sandbox is not touched. */
  during: <T>(taskId: string, attempt: number, work: () => Promise<T>) => Promise<T>
  stop: () => Promise<void>
}

type Options = { engine: Pick<SandboxEngine, 'removeLeftovers'>; log: Logger; everyMs?: number }

const EVERY_MS = 60_000

/** Removes, now and then, what could not be removed when its attempt ended: an engine that hung then may answer by now. */
export function startSweep({ engine, log, everyMs = EVERY_MS }: Options): Sweep {
  const underWay = new Set<string>()
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> = Promise.resolve()

  const sweep = async () => {
    try {
      const removed = await engine.removeLeftovers((taskId, attempt) => underWay.has(`${taskId}/${attempt}`))
      if (removed > 0) log.warn({ event: 'leftovers.removed', containers: removed })
    } catch (error) {
      log.error({ event: 'leftovers.stay', err: error })
    }
  }
  const later = () => {
    if (stopped) return
    timer = setTimeout(() => {
      sweeping = sweep().finally(later)
    }, everyMs)
  }
  later()

  return {
    during: async (taskId, attempt, work) => {
      const key = `${taskId}/${attempt}`
      underWay.add(key)
      try {
        return await work()
      } finally {
        underWay.delete(key)
      }
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await sweeping
    },
  }
}
