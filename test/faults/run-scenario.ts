import { waitFor } from '../support/checks/wait.ts'
import { createRandom } from '../support/scripted/random.ts'
import { judge, judgeLeft } from './oracle/judge.ts'
import { lookAt, lookForLeft } from './oracle/look.ts'
import type { SeenTask } from './oracle/seen.ts'
import type { Scenario } from './scenarios.ts'
import { allEnded, atSomePoint, hasEnded, type Sent, sendTask } from './tasks.ts'
import type { World } from './world.ts'

/** What one run came to. `silences`: for each task that was under way, how long its reader at most saw nothing new, milliseconds. */
export type Run = {
  scenario: string
  seed: number
  seconds: number
  tasks: SeenTask[]
  silences: number[]
  violations: string[]
  notes: string[]
}

const TASKS = 4
/** Until nothing is left of tasks that have ended. */
const CLEAN_MS = 60_000

/** Sends tasks, does a scenario's harm at a moment that the seed names, waits for the end, and asks the oracle. */
export async function runScenario(world: World, scenario: Scenario, seed: number, howMany = TASKS): Promise<Run> {
  const begun = performance.now()
  const random = createRandom(seed)
  world.notes.length = 0
  world.faults.length = 0
  const run = `${scenario.name}-${seed}-${Math.round(begun)}`
  const tasks: Sent[] = []
  const violations: string[] = []
  let silences: number[] = []
  try {
    for (let index = 1; index <= howMany; index++) tasks.push(await sendTask(world, `${run}-${index}`, scenario.oneAttempt))
    await atSomePoint(world, tasks, random)
    const from = performance.now()
    const hurt = tasks.filter((task) => !hasEnded(world, task))
    await scenario.hurt({ world, random, tasks })
    await allEnded(world, tasks)
    silences = hurt.map((task) => longestSilence(world.recorder.arrivals(task.id), from))
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error))
  }
  const seen = await Promise.all(tasks.map((task) => lookAt(world, task)))
  violations.push(...(await verdict(world, tasks, seen)), ...world.faults)
  const seconds = (performance.now() - begun) / 1000
  return { scenario: scenario.name, seed, seconds, tasks: seen, silences, violations, notes: [...world.notes] }
}

/** Asks the oracle once what must go has had its time to go. */
export async function verdict(world: World, tasks: readonly Sent[], seen: readonly SeenTask[]): Promise<string[]> {
  const isClean = async () => judgeLeft(await lookForLeft(world, tasks)).length === 0
  await waitFor('nothing to be left', isClean, CLEAN_MS, 250).catch(() => undefined)
  return judge(seen, await lookForLeft(world, tasks))
}

/** @returns the longest time without a new event that began before `until` and ended after `from`, when a fault was done */
export function longestSilence(arrivals: readonly number[], from: number, until = Number.POSITIVE_INFINITY): number {
  const before = arrivals.filter((at) => at <= from).at(-1) ?? from
  const after = arrivals.filter((at) => at > from)
  const gaps = after.map((at, index) => ({ begun: after[index - 1] ?? before, at }))
  return Math.max(0, ...gaps.filter(({ begun }) => begun < until).map(({ begun, at }) => at - begun))
}
