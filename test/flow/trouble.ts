import { waitFor } from '../support/checks/wait.ts'
import type { Random } from '../support/scripted/random.ts'
import type { System } from '../support/systems/system.ts'

/** Points in the list of events at which a process is killed and started again, while everything else goes on. */
export type Trouble = {
  /** What was killed, and after which event of a task that was not over. */
  done: string[]
  /** Whether every kill has been done and everything runs again. */
  isOver: () => boolean
  /** Stops making it. Resolves when everything runs again; rejects with what went wrong. */
  stop: () => Promise<void>
}

const VICTIMS = ['coordinator', 'runner'] as const
const PATIENCE_MS = 180_000

/**
 * Kills coordinator and runner, each so many times, in an order and at events left to chance.
 * @param timesEach a kill waits for the next event, so the task must go on until {@link Trouble.isOver}
 */
export function makeTrouble(system: System, taskId: string, random: Random, timesEach: number): Trouble {
  const done: string[] = []
  let stopped = false
  let isOver = false
  const lastSeq = async () => (await system.task(taskId)).lastSeq
  const run = async () => {
    let next = 0
    const victims = VICTIMS.flatMap((victim) => Array.from({ length: timesEach }, () => victim))
    for (const victim of random.shuffled(victims)) {
      next += random.between(1, 16)
      await waitFor(`event ${next}`, async () => stopped || (await lastSeq()) >= next, PATIENCE_MS, 60)
      if (stopped) return
      const at = await lastSeq()
      const process = victim === 'coordinator' ? system.coordinator : system.runners[0]
      await process?.kill()
      done.push(`${victim} after ${at}`)
      await process?.start()
      next = at
    }
    isOver = true
  }
  const running = run()
  // It is told by `stop`; until then nobody listens.
  running.catch(() => {})
  return {
    done,
    isOver: () => isOver,
    stop: () => {
      stopped = true
      return running
    },
  }
}
