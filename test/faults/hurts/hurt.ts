import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../support/scripted/random.ts'
import type { Process } from '../../support/systems/process.ts'
import type { Sent } from '../tasks.ts'
import type { Worker, World } from '../world.ts'

/** Does something bad to a world in which these tasks are under way. When it resolves, all that it did is undone. */
export type Hurt = (place: Place) => Promise<void>
export type Place = { world: World; random: Random; tasks: Sent[] }

/** How long something is away at most, as long as a supervisor or a person takes to bring it back. Less than a lease. */
const MOST_AWAY_MS = 8_000

export async function awhile(random: Random, mostMs = MOST_AWAY_MS): Promise<void> {
  await pause(random.between(0, mostMs))
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.between(0, items.length - 1)] as T
}

/** Coordinator and runners with their names. */
export function partsOf({ system, runners }: World): Part[] {
  return [{ name: 'coordinator', process: system.coordinator }, ...runners]
}
export type Part = Pick<Worker, 'name'> & { process: Process }

/** `SIGKILL`: it dies at once; `SIGTERM`: a deploy ends it. Then it is away for a while, and starts again. */
export async function endAndStart({ world, random }: Place, { name, process }: Part, signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT') {
  world.note(`${signal} to ${name}`)
  if (signal === 'SIGKILL') await process.kill()
  else await process.end(signal)
  world.note(`${name} has ended`)
  await awhile(random)
  await startAgain(process)
  world.note(`${name} is started again`)
}

/** A supervisor starts a process again and again: a coordinator ends when its Redis is not there yet. */
async function startAgain(process: Process): Promise<void> {
  for (let left = STARTS; ; left -= 1) {
    try {
      return await process.start()
    } catch (error) {
      if (left === 0) throw error
      await pause(500)
    }
  }
}
const STARTS = 40
