import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../contract/api/event.ts'
import { containersOf } from '../support/checks/traces.ts'
import { waitFor } from '../support/checks/wait.ts'
import { endedWell, expectUnderWay, inTheMiddle, PATIENCE_MS } from '../support/systems/demo-task.ts'
import { type System, startSystem } from '../support/systems/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem({ redisPersistent: false })
})
afterAll(() => system.stop())

function attemptsOf(events: readonly TaskEvent[]): number[] {
  return events.flatMap(({ type, attempt }) => (type === 'attempt.started' ? [attempt] : []))
}

describe('a restart of the runner in the middle of a task', () => {
  it('leaves the container running, and the next process goes on with the same attempt', async () => {
    const taskId = await inTheMiddle(system)
    const [container] = await containersOf(taskId)
    expect(await system.runners[0]?.end('SIGTERM')).toBe(0)
    expectUnderWay(system, taskId)
    expect(await containersOf(taskId)).toMatchObject([{ id: container?.id, running: true }])
    await system.runners[0]?.start()
    expect(attemptsOf(await endedWell(system, taskId))).toEqual([1])
    expect(await containersOf(taskId)).toEqual([])
  })
})

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

  it('of the runner: the next process takes the container back, and the same attempt goes on', async () => {
    const taskId = await inTheMiddle(system)
    await system.runners[0]?.kill()
    expectUnderWay(system, taskId)
    const [container] = await containersOf(taskId)
    expect(container).toMatchObject({ attempt: 1, running: true })
    await system.runners[0]?.start()
    await waitFor('the container to be taken back', () => system.runners[0]?.log().includes('attempt.adopted'))
    expect((await containersOf(taskId)).map(({ id }) => id)).toEqual([container?.id])
    expect(attemptsOf(await endedWell(system, taskId))).toEqual([1])
    expect(await containersOf(taskId)).toEqual([])
  })

  it('of everything at once: the same attempt goes on', async () => {
    const taskId = await inTheMiddle(system)
    await Promise.all([system.runners[0]?.kill(), system.coordinator.kill(), system.redis.kill()])
    expectUnderWay(system, taskId)
    await Promise.all([system.redis.start(), system.runners[0]?.start()])
    await system.coordinator.start()
    expect(attemptsOf(await endedWell(system, taskId))).toEqual([1])
    expect(await containersOf(taskId)).toEqual([])
  })

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
