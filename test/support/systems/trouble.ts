import { waitFor } from '../checks/wait.ts'
import type { Random } from '../scripted/random.ts'
import type { System } from './system.ts'

/** Points in the list of events at which a process is killed and started again, while everything else goes on. */
export type Trouble = {
  /** What was killed, and after which event. */
  done: string[]
  /** No more of it. Resolves when everything runs again; rejects with what went wrong. */
  stop: () => Promise<void>
}

const PATIENCE_MS = 120_000

/** Kills coordinator and runner without a word, in turn by chance, each time so many events of the task later. */
export function makeTrouble(system: System, taskId: string, random: Random, times: number): Trouble {
  const done: string[] = []
  let over = false
  const lastSeq = async () => (await system.task(taskId)).lastSeq
  const run = async () => {
    let next = 0
    for (let round = 0; round < times && !over; round++) {
      next += random.between(1, 16)
      const victim = random.percent(50) ? 'coordinator' : 'runner'
      const at = await waitFor(
        `event ${next}`,
        async () => over || ((await lastSeq()) >= next && (await lastSeq())),
        PATIENCE_MS,
        60,
      )
      if (over) return
      const process = victim === 'coordinator' ? system.coordinator : system.runners[0]
      done.push(`${victim} after ${at}`)
      await process?.kill()
      await process?.start()
      next = Number(at)
    }
  }
  const running = run()
  // It is told by `stop`; until then nobody listens.
  running.catch(() => {})
  return {
    done,
    stop: () => {
      over = true
      return running
    },
  }
}
