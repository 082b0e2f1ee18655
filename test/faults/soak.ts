import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../support/scripted/random.ts'
import { lookAt } from './oracle/look.ts'
import type { Outcome } from './report.ts'
import { longestSilence, verdict } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { allEnded, hasEnded, type Sent, sendTask } from './tasks.ts'
import type { World } from './world.ts'

type Soak = { seed: number; seconds: number; parallel?: number; print: (line: string) => void }

/** A slow fault waits for leases: one in so many. */
const SLOW_PERCENT = 6
const MOST_PAUSE_MS = 4_000

/** Keeps so many tasks under way for the given time, and does one fault after the other to them, chosen by the seed. Then asks the oracle. */
export async function soak(world: World, { seed, seconds, parallel = 4, print }: Soak): Promise<Outcome> {
  const begun = performance.now()
  const random = createRandom(seed)
  const over = () => performance.now() - begun > seconds * 1000
  const tasks: Sent[] = []
  const done: Done[] = []
  const violations: string[] = []
  const keepBusy = async (lane: number) => {
    for (let count = 1; !over(); count++) {
      const task = await sendTask(world, `soak-${seed}-${Math.round(begun)}-${lane}-${count}`, false)
      tasks.push(task)
      await allEnded(world, [task])
    }
  }
  const hurt = async () => {
    const quick = SCENARIOS.filter(({ slow }) => !slow)
    const slow = SCENARIOS.filter((scenario) => scenario.slow)
    while (!over()) {
      const from = random.percent(SLOW_PERCENT) ? slow : quick
      const { name, hurt } = from[random.between(0, from.length - 1)] as (typeof from)[number]
      print(
        `${((performance.now() - begun) / 1000).toFixed(0)} s: ${name}, ${tasks.filter((task) => hasEnded(world, task)).length} of ${tasks.length} tasks ended`,
      )
      const at = performance.now()
      const hit = tasks.filter((task) => !hasEnded(world, task))
      await hurt({ world, random, tasks: name === 'same-key' ? tasks : hit })
      await pause(random.between(500, MOST_PAUSE_MS))
      done.push({ name, at, until: performance.now(), ids: hit.map(({ id }) => id) })
    }
  }
  const lanes = Array.from({ length: parallel }, (_, lane) => keepBusy(lane))
  const results = await Promise.allSettled([hurt(), ...lanes])
  for (const result of results) if (result.status === 'rejected') violations.push(String(result.reason))
  await allEnded(world, tasks).catch((error: unknown) => violations.push(String(error)))
  const seen = await Promise.all(tasks.map((task) => lookAt(world, task)))
  violations.push(...(await verdict(world, tasks, seen)), ...world.faults)
  return {
    title: 'Soak: all faults mixed',
    seed,
    seconds: (performance.now() - begun) / 1000,
    faults: countFaults(world, done),
    tasks: seen,
    violations,
  }
}

type Done = { name: string; at: number; until: number; ids: string[] }

/** The silences are known only when every task has ended: the first event after a fault may come late. */
function countFaults({ recorder }: World, done: readonly Done[]): Outcome['faults'] {
  const faults = new Map<string, { times: number; silences: number[] }>()
  for (const { name, at, until, ids } of done) {
    const { times, silences } = faults.get(name) ?? { times: 0, silences: [] }
    const own = ids.map((id) => longestSilence(recorder.arrivals(id), at, until))
    faults.set(name, { times: times + 1, silences: [...silences, ...own] })
  }
  return faults
}
