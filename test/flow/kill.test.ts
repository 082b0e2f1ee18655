import { afterEach, describe, expect, it } from '@jest/globals'
import { endedWell, inTheMiddle, PATIENCE_MS } from '../support/systems/demo-task.ts'
import { type System, startSystem } from '../support/systems/system.ts'

let system: System
afterEach(() => system.stop())

describe('kill -9 in the middle of a task', () => {
  it(
    'of the coordinator: the same attempt goes on, and no event is missing',
    async () => {
      system = await startSystem()
      const taskId = await inTheMiddle(system)
      await system.coordinator.kill()
      await system.coordinator.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'of the runner: what it left is settled, and the next attempt ends well',
    async () => {
      system = await startSystem()
      const taskId = await inTheMiddle(system)
      await system.runners[0]?.kill()
      await system.runners[0]?.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.ended').map((event) => event.data)).toMatchObject([
        { outcome: 'interrupted', reason: 'runner_stopped' },
        { outcome: 'completed', reason: 'done' },
      ])
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'of Redis, which forgets everything: the same attempt goes on, and no event is missing',
    async () => {
      system = await startSystem({ redisPersistent: false })
      const taskId = await inTheMiddle(system)
      await system.redis.kill()
      await system.redis.start()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )
})
