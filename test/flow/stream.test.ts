import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../contract/api/event.ts'
import { expectWhole } from '../support/checks/event-list.ts'
import { waitFor } from '../support/checks/wait.ts'
import { addUser } from '../support/systems/people.ts'
import { type System, startSystem } from '../support/systems/system.ts'

type Socket = ReturnType<System['connect']>

let system: System
let sockets: Socket[]
let stored: TaskEvent[]
/** By a client that only connects. */
const heard: TaskEvent[] = []
/** By another user, who also asks for the task. */
const overheard: unknown[] = []
let refusal: unknown
/** By a client that loses its connection again and again. */
let applied: TaskEvent[]
let connections = 0
/** Texts as a client that watches the task saw them grow, and then had them whole. */
const grown: { live: string; whole: string }[] = []

// One task, and everybody looks on.
beforeAll(async () => {
  system = await startSystem()
  const { demoRepoUrl } = (await system.api<{ demoRepoUrl: string }>('/api/me')).body
  const [listener, stranger, watcher] = [system.connect(), system.connect(addUser(system.dataDir, 'stranger')), system.connect()]
  sockets = [listener, stranger, watcher]
  listener.on('event', (event) => heard.push(event))
  stranger.onAny((...message) => overheard.push(message))
  keepTexts(watcher)
  await waitFor('all to connect', () => sockets.every(({ connected }) => connected))

  const task = await system.send({ repoUrl: demoRepoUrl, prompt: 'Fix the failing test' })
  const following = followWithLosses(task.id)
  await watcher.emitWithAck('task:watch', { taskId: task.id })
  refusal = await stranger.emitWithAck('task:watch', { taskId: task.id })
  await system.ended(task.id, 120_000)
  applied = await following
  await waitFor('the last event', () => heard.at(-1)?.type === 'task.ended')
  stored = await system.events(task.id)
})
afterAll(async () => {
  for (const socket of sockets ?? []) socket.disconnect()
  await system?.stop()
})

/** The whole protocol of a client: apply what follows on what you have, drop the rest, ask again after what you have. */
async function followWithLosses(taskId: string): Promise<TaskEvent[]> {
  const list: TaskEvent[] = []
  while (list.at(-1)?.type !== 'task.ended') {
    const socket = system.connect()
    connections += 1
    const enough = list.length + 1 + Math.floor(Math.random() * 6)
    const done = new Promise<void>((resolve) => {
      socket.on('event', (event) => {
        if (event.seq === list.length + 1) list.push(event)
        if (list.length >= enough || event.type === 'task.ended') resolve()
      })
    })
    await socket.emitWithAck('task:watch', { taskId, after: list.length })
    await done
    socket.io.engine.close()
    socket.disconnect()
  }
  return list
}

function keepTexts(socket: Socket): void {
  let live = ''
  socket.on('delta', ({ offset, text }) => {
    live = live.slice(0, offset) + text
  })
  socket.on('event', (event) => {
    if (event.type !== 'text.written') return
    if (live) grown.push({ live, whole: event.data.text })
    live = ''
  })
}

describe('the stream of a task', () => {
  it('reaches a client that only connects, each event once and in order, as REST has them', () => {
    expectWhole(heard)
    expect(heard).toEqual(stored)
  })

  it('reaches nobody else', () => {
    expect(refusal).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(overheard).toEqual([])
  })

  it('is the same list for a client that loses its connection again and again', () => {
    expectWhole(applied)
    expect(applied).toEqual(stored)
    expect(connections).toBeGreaterThan(5)
  })

  it('brings the text as it is written, and then the text as it is stored', () => {
    const texts = stored.flatMap((event) => (event.type === 'text.written' ? [event.data.text] : []))
    // A delta may be dropped, so what was seen is a part of what was written: its beginning, when none was.
    const begun = grown.filter(({ live, whole }) => whole.startsWith(live.slice(0, 20)))
    expect(begun.length).toBeGreaterThan(0)
    expect(texts).toEqual(expect.arrayContaining(begun.map(({ whole }) => whole)))
  })
})
