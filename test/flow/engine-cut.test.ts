import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type EngineProxy, startEngineProxy } from '../support/outside/engine-proxy.ts'
import { endedWell, expectUnderWay, inTheMiddle, PATIENCE_MS } from '../support/systems/demo-task.ts'
import { type System, startSystem } from '../support/systems/system.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/systems/temporary.ts'

describe('in the middle of a task', () => {
  let folder: TemporaryFolder
  let proxy: EngineProxy
  let system: System
  beforeAll(async () => {
    folder = await temporaryFolder()
    proxy = await startEngineProxy(join(folder.path, 'engine.sock'))
    system = await startSystem({ runners: [{ DOCKER_HOST: `unix://${proxy.path}` }] })
  })
  afterAll(async () => {
    await system.stop()
    await proxy.cut()
    await folder.remove()
  })
  const count = (event: string) => system.runners[0]?.log().split(`"${event}"`).length ?? 0
  /** Does it, and returns once the runner has logged this event again. */
  const untilLogged = async (event: string, act: () => Promise<unknown>) => {
    const before = count(event)
    await act()
    await waitFor(`the runner to log ${event}`, () => count(event) > before, 30_000)
  }

  it(
    'the connection with the engine is cut: the same attempt goes on, and no event is missing',
    async () => {
      const taskId = await inTheMiddle(system)
      await untilLogged('engine.away', proxy.cut)
      expectUnderWay(system, taskId)
      await proxy.mend()
      const events = await endedWell(system, taskId)
      expect(events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1)
    },
    PATIENCE_MS + 60_000,
  )

  it(
    'it is cancelled while the engine is away: it ends once the engine is back',
    async () => {
      const taskId = await inTheMiddle(system)
      await untilLogged('engine.away', proxy.cut)
      expectUnderWay(system, taskId)
      await untilLogged('attempt.stopping', () => system.api(`/api/tasks/${taskId}/cancel`, { method: 'POST' }))
      expect(await system.task(taskId)).toMatchObject({ status: 'running' })
      await proxy.mend()
      expect(await system.ended(taskId, 30_000)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user' })
      expectWhole(await system.events(taskId))
    },
    PATIENCE_MS + 60_000,
  )
})
