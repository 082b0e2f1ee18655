import { afterEach, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../contract/event.ts'
import { expectWhole } from '../support/event-list.ts'
import { expectMended } from '../support/mended.ts'
import { type System, startSystem } from '../support/system.ts'
import { waitFor } from '../support/wait.ts'

const PATIENCE_MS = 150_000

let system: System
afterEach(() => system.stop())

/** Sends the demo task, and returns once the agent is in the middle of it. */
const inTheMiddle = async (): Promise<string> => {
  const { demoRepoUrl } = (await system.api<{ demoRepoUrl: string }>('/api/me')).body
  const task = await system.send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test' })
  await waitFor('the agent to run the tests', async () => ranTests(await system.events(task.id)), 60_000, 100)
  return task.id
}

const ranTests = (events: readonly TaskEvent[]): boolean =>
  events.some((event) => event.type === 'tool.started' && JSON.stringify(event.data.input).includes('npm test'))

const endedWell = async (taskId: string): Promise<TaskEvent[]> => {
  const task = await system.ended(taskId, PATIENCE_MS)
  const events = await system.events(taskId)
  expect({ status: task.status, reason: task.reason, error: task.error }).toEqual({
    status: 'completed',
    reason: 'done',
    error: null,
  })
  expectWhole(events)
  await expectMended(system.dataDir, task.branch)
  return events
}

describe('kill -9 in the middle of a task', () => {
  it(
    'of the coordinator: the same attempt goes on, and no event is missing',
    async () => {
      system = await startSystem()
      const taskId = await inTheMiddle()
      await system.coordinator.kill()
      await system.coordinator.start()
      const events = await endedWell(taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'of the runner: what it left is settled, and the next attempt ends well',
    async () => {
      system = await startSystem()
      const taskId = await inTheMiddle()
      await system.runners[0]?.kill()
      await system.runners[0]?.start()
      const events = await endedWell(taskId)
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
      const taskId = await inTheMiddle()
      await system.redis.kill()
      await system.redis.start()
      const events = await endedWell(taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )
})
