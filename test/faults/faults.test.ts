import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runScenario } from './run-scenario.ts'
import { scenarioNamed } from './scenarios.ts'
import { startWorld, type World } from './world.ts'

/** `npm run test:faults` does every scenario, with as many seeds as one likes. */
const SHORT_FORM = [
  { name: 'deploy-at-once', seed: 1 },
  { name: 'kill-everything', seed: 2 },
]
const TASKS = 2

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

describe('while tasks are under way', () => {
  it.each(SHORT_FORM)('$name (seed $seed): nothing is lost, doubled or left', async ({ name, seed }) => {
    const scenario = scenarioNamed(name)
    const { violations, notes } = await runScenario(world, scenario, seed, TASKS)
    expect({ violations, notes }).toEqual({ violations: [], notes })
  })
})
