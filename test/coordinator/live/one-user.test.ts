import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Socket } from 'socket.io-client'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { textWritten } from '../../support/scripted/scripted-lines.ts'
import { createScriptedRunner, runnerCalls } from '../../support/scripted/scripted-runner.ts'
import { answerTo } from '../../support/systems/client.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { startCoordinator, type TestCoordinator } from '../../support/systems/coordinator.ts'
import { addUser } from '../../support/systems/people.ts'

let coordinator: TestCoordinator
const closers = closeAfterEach()

beforeAll(async () => {
  coordinator = await startCoordinator()
})
afterAll(() => coordinator.stop())

function connect(token: string): Socket {
  const socket: Socket = coordinator.connect(token)
  closers.push(() => socket.disconnect())
  return socket
}
function ask(socket: Socket, event: string, payload: unknown) {
  return socket.timeout(20_000).emitWithAck(event, payload)
}

describe('the sockets of one user', () => {
  it('are bounded, and leave room for others; one that goes makes room again', async () => {
    const [ada, bob] = [addUser(coordinator.config.dataDir, 'ada'), addUser(coordinator.config.dataDir, 'bob')]
    const sockets = Array.from({ length: 64 }, () => connect(ada))
    expect((await Promise.all(sockets.map(answerTo))).filter((refusal) => refusal !== null)).toEqual([])
    const refusal = await answerTo(connect(ada))
    expect(refusal?.data).toMatchObject({
      code: 'rate_limited',
      message: expect.stringMatching(/^You already have 64 open connections/),
    })
    expect(await answerTo(connect(bob))).toBeNull()
    sockets[0]?.disconnect()
    await waitFor('a place', async () => (await answerTo(connect(ada))) === null)
  })
})

describe('what one user begins', () => {
  it('is one count, by HTTP and by socket', async () => {
    const [cleo, dora] = [addUser(coordinator.config.dataDir, 'cleo'), addUser(coordinator.config.dataDir, 'dora')]
    const refusedByRule = { repoUrl: 'https://elsewhere.example/a/b', prompt: 'Go' }
    const post = (path: string, token = cleo) =>
      fetch(`${coordinator.url}/api/tasks${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(refusedByRule),
      })
    const socket = connect(cleo)
    const byHttp = await Promise.all(Array.from({ length: 60 }, () => post('')))
    const bySocket = await Promise.all(Array.from({ length: 60 }, () => ask(socket, 'task:create', refusedByRule)))
    expect(new Set(byHttp.map(({ status }) => status))).toEqual(new Set([400]))
    expect(new Set(bySocket.map(({ error }) => error.code))).toEqual(new Set(['invalid']))

    const limited = {
      code: 'rate_limited',
      message: expect.stringMatching(
        /^Too many new tasks and messages: the limit is 120 a minute\. Try again in (a second|\d+ seconds)\.$/,
      ),
      details: { retryAfterSeconds: expect.any(Number) },
    }
    const response = await post('')
    expect([response.status, Number(response.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(await response.json()).toMatchObject({ error: limited })
    expect(await ask(socket, 'task:create', refusedByRule)).toMatchObject({ ok: false, error: limited })
    const message = { taskId: 'tsk_none', text: 'hi', mode: 'queue', clientId: 'c' }
    expect(await ask(socket, 'task:message', message)).toMatchObject({ ok: false, error: limited })
    expect((await post('', dora)).status).toBe(400)
  })
})

describe('a client that takes nothing', () => {
  it('is cut off before it fills the memory, and has everything once it is back', async () => {
    const runner = await createScriptedRunner(coordinator.redisUrl)
    closers.push(runner.close)
    const maker = connect(coordinator.ownerToken)
    const { task } = await ask(maker, 'task:create', { repoUrl: coordinator.demoRepoUrl, prompt: 'Go' })
    const lease = await runnerCalls(coordinator.url, coordinator.runnerToken).lease(await runner.job(task.id))
    maker.disconnect()

    const stuck = connect(coordinator.ownerToken)
    const events: TaskEvent[] = []
    let cuts = 0
    stuck.on('connect', () => stuck.emit('task:watch', { taskId: task.id, after: events.length }))
    stuck.on('disconnect', () => cuts++)
    stuck.on('event', (event: TaskEvent) => {
      if (event.taskId === task.id && event.seq === events.length + 1) events.push(event)
    })
    await waitFor('the history', () => events.length === 3)
    const sockets = async () => /errand_sockets\S* (\d+)/.exec(await (await fetch(`${coordinator.url}/metrics`)).text())?.[1]
    await waitFor('the others to be gone', async () => (await sockets()) === '1')
    const line = (stuck.io.engine.transport as unknown as { ws: { _socket: { pause: () => void; resume: () => void } } }).ws
      ._socket
    line.pause()
    const total = 600
    const text = 'x'.repeat(60_000)
    for (let n = 1; n <= total; n++) await runner.send(lease, n, textWritten(text))
    await waitFor('the events to be stored', () => runner.acknowledged(lease) === total, 60_000)
    await waitFor('the cut', async () => (await sockets()) === '0')
    line.resume()
    await waitFor('everything', () => events.length === total + 3, 60_000)
    expect(cuts).toBe(1)
  })
})
