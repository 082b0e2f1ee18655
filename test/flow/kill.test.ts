import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { containersOf } from '../support/checks/traces.ts'
import { endedWell, expectUnderWay, inTheMiddle, PATIENCE_MS } from '../support/systems/demo-task.ts'
import { type System, startSystem } from '../support/systems/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem({ redisPersistent: false })
})
afterAll(() => system.stop())

describe('kill -9 in the middle of a task', () => {
  it(
    'of the coordinator: the same attempt goes on, and no event is missing',
    async () => {
      const taskId = await inTheMiddle(system)
      await system.coordinator.kill()
      expectUnderWay(system, taskId)
      await system.coordinator.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'of the runner: what it left is settled, and the next attempt ends well',
    async () => {
      const taskId = await inTheMiddle(system)
      await system.runners[0]?.kill()
      expectUnderWay(system, taskId)
      expect(await containersOf(taskId)).toMatchObject([{ attempt: 1, running: true }])
      await system.runners[0]?.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.ended').map((event) => event.data)).toMatchObject([
        { outcome: 'interrupted', reason: 'runner_stopped' },
        { outcome: 'completed', reason: 'done' },
      ])
      expect(await containersOf(taskId)).toEqual([])
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'of Redis, which forgets everything: the same attempt goes on, and no event is missing',
    async () => {
      const taskId = await inTheMiddle(system)
      await system.redis.kill()
      expectUnderWay(system, taskId)
      await system.redis.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )
})
