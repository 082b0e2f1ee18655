import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../contract/api/event.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import { type System, startSystem } from '../support/systems/system.ts'
import { addUser } from '../support/systems/users.ts'

let system: System
let demoRepoUrl: string
beforeAll(async () => {
  system = await startSystem()
  demoRepoUrl = (await system.api<{ demoRepoUrl: string }>('/api/me')).body.demoRepoUrl
}, 60_000)
afterAll(() => system.stop())

function sendDemo() {
  return system.send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test' })
}

describe('the stream of a task', () => {
  it('reaches a client that only connects, each event once and in order, as REST has them; and nobody else', async () => {
    const socket = system.connect()
    const stranger = system.connect(addUser(system.dataDir, 'stranger'))
    const heard: TaskEvent[] = []
    const overheard: unknown[] = []
    socket.on('event', (event) => heard.push(event))
    stranger.onAny((...message) => overheard.push(message))
    await waitFor('both clients to connect', () => socket.connected && stranger.connected)

    const task = await sendDemo()
    const refusal = await stranger.emitWithAck('task:watch', { taskId: task.id })
    await system.ended(task.id, 120_000)
    await waitFor('the last event', () => heard.at(-1)?.type === 'task.ended')

    expectWhole(heard)
    expect(heard).toEqual(await system.events(task.id))
    expect(refusal).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(overheard).toEqual([])
    socket.disconnect()
    stranger.disconnect()
  }, 150_000)

  it('is the same list for a client that loses its connection again and again', async () => {
    const task = await sendDemo()
    const applied: TaskEvent[] = []
    let connections = 0
    // The whole protocol of a client: apply what follows on what you have, drop the rest, ask again after what you have.
    while (applied.at(-1)?.type !== 'task.ended') {
      const socket = system.connect()
      connections += 1
      const enough = applied.length + 1 + Math.floor(Math.random() * 6)
      const done = new Promise<void>((resolve) => {
        socket.on('event', (event) => {
          if (event.seq === applied.length + 1) applied.push(event)
          if (applied.length >= enough || event.type === 'task.ended') resolve()
        })
      })
      await socket.emitWithAck('task:watch', { taskId: task.id, after: applied.length })
      await done
      socket.io.engine.close()
      socket.disconnect()
    }
    expectWhole(applied)
    expect(applied).toEqual(await system.events(task.id))
    expect(connections).toBeGreaterThan(5)
  }, 150_000)

  it('brings the text as it is written, and then the text as it is stored', async () => {
    const socket = system.connect()
    let live = ''
    const written: string[] = []
    socket.on('delta', ({ offset, text }) => {
      live = live.slice(0, offset) + text
    })
    socket.on('event', (event) => {
      if (event.type !== 'text.written') return
      // A delta may be dropped, so what was seen is a part of what was written: its beginning, when none was.
      if (live && event.data.text.startsWith(live.slice(0, 20))) written.push(event.data.text)
      live = ''
    })
    await waitFor('the client to connect', () => socket.connected)
    const task = await sendDemo()
    await socket.emitWithAck('task:watch', { taskId: task.id })
    await system.ended(task.id, 120_000)
    expect(written.length).toBeGreaterThan(0)
    socket.disconnect()
  }, 150_000)
})
