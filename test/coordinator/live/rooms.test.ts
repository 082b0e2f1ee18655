import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Socket } from 'socket.io-client'
import type { Task } from '../../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../../contract/api/event.ts'
import { PROTOCOL } from '../../../contract/api/socket.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded, textWritten } from '../../support/scripted/scripted-lines.ts'
import type { ScriptedRunner, TakenLease } from '../../support/scripted/scripted-runner.ts'
import { answerTo, connectSocket } from '../../support/systems/client.ts'
import { type StaffedCoordinator, startStaffedCoordinator, type TestCoordinator } from '../../support/systems/coordinator.ts'
import { addUser } from '../../support/systems/people.ts'

let staffed: StaffedCoordinator
let coordinator: TestCoordinator
let runner: ScriptedRunner
let bobToken: string
const open: Socket[] = []

beforeAll(async () => {
  staffed = await startStaffedCoordinator()
  ;({ coordinator, runner } = staffed)
  bobToken = addUser(coordinator.config.dataDir, 'bob')
})
afterAll(async () => {
  for (const socket of open) socket.disconnect()
  await staffed.stop()
})

function connect(options: { token?: string; origin?: string } = {}): Socket {
  const socket: Socket = connectSocket(coordinator.url, {
    auth: { token: options.token ?? coordinator.ownerToken },
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    ...(options.origin !== undefined && { extraHeaders: { origin: options.origin } }),
  })
  open.push(socket)
  return socket
}
async function refused(socket: Socket) {
  const refusal = await answerTo(socket)
  if (!refusal) throw new Error('it was let in')
  return refusal
}
function connected(socket: Socket) {
  return waitFor('a connection', () => socket.connected)
}
function ask(socket: Socket, event: string, payload: unknown) {
  return socket.timeout(5_000).emitWithAck(event, payload)
}

async function begin(socket: Socket): Promise<TakenLease> {
  const { task } = await ask(socket, 'task:create', { repoUrl: coordinator.demoRepoUrl, prompt: 'Go' })
  return staffed.lease(task.id)
}
function text(n: number) {
  return textWritten(`${n}`)
}
function finish(lease: TakenLease, n: number) {
  return runner.deliver(lease, n, attemptEnded())
}

/** A client that holds to the rule: only the next number is taken, and whenever it connects it asks for what it lacks. */
function strictClient(taskId: string) {
  const events: TaskEvent[] = []
  const skipped: number[] = []
  const socket = connect()
  // Before the answer, live events may come that are far ahead; after it, none may be out of its place.
  let watching = false
  socket.on('connect', () => {
    watching = false
    socket.emit('task:watch', { taskId, after: events.length }, () => {
      watching = true
    })
  })
  socket.on('event', (event: TaskEvent) => {
    if (event.taskId !== taskId || event.seq <= events.length) return
    if (event.seq === events.length + 1) events.push(event)
    else if (watching) skipped.push(event.seq)
  })
  return { socket, events, skipped }
}

describe('who may connect', () => {
  it('refuses an unknown token, and none', async () => {
    expect((await refused(connect({ token: 'errand_wrong' }))).data).toMatchObject({ code: 'unauthorized' })
    expect((await refused(connect({ token: '' }))).data).toMatchObject({ code: 'unauthorized' })
  })

  it('refuses a page of another origin, and takes our own', async () => {
    await refused(connect({ origin: 'https://evil.example' }))
    await refused(connect({ origin: 'null' }))
    await connected(connect({ origin: coordinator.url }))
  })
})

describe('what a client may ask', () => {
  it('acknowledges every event, whatever comes', async () => {
    const socket = connect()
    expect(await ask(socket, 'task:watch', null)).toMatchObject({
      ok: false,
      error: { code: 'invalid', requestId: expect.any(String) },
    })
    expect(await ask(socket, 'task:watch', { taskId: 'tsk_none' })).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await ask(socket, 'task:create', { repoUrl: 'x' })).toMatchObject({ ok: false, error: { code: 'invalid' } })
    expect(await ask(socket, 'task:message', {})).toMatchObject({ ok: false, error: { code: 'invalid' } })
    const message = { taskId: 'tsk_none', text: 'hi', mode: 'steer', clientId: 'c' }
    expect(await ask(socket, 'task:message', { ...message, stopfirst: true })).toMatchObject({
      error: { code: 'invalid', message: expect.stringContaining('Did you mean "stopFirst"?') },
    })
    expect(await ask(socket, 'task:watch', { taskId: 'tsk_none', since: 3 })).toMatchObject({
      error: {
        code: 'invalid',
        message: expect.stringContaining('there is no field "since" here. The fields are: taskId, after.'),
      },
    })
    expect(await ask(socket, 'task:message', message)).toMatchObject({ ok: false, error: { code: 'not_found' } })
    expect(await ask(socket, 'app:ping', {})).toEqual({ ok: true, protocol: PROTOCOL })
    expect(await ask(socket, 'app:state', { active: true, taskId: null })).toEqual({ ok: true })
    expect(await ask(socket, 'task:unwatch', { taskId: 'any' })).toEqual({ ok: true })
    socket.emit('task:watch')
    socket.emit('task:cancel', 'no acknowledgement asked')
    expect(await ask(socket, 'task:unwatch', { taskId: 'any' })).toEqual({ ok: true })
  })

  it('stops a turn and says what comes instead, in one event that may come twice', async () => {
    const socket = connect()
    const { taskId } = await begin(socket)
    const message = { taskId, text: 'rather this', mode: 'queue', stopFirst: true, clientId: 'instead' }
    const first = await ask(socket, 'task:message', message)
    expect(first).toMatchObject({ ok: true, message: { text: 'rather this', state: 'waiting' } })
    await waitFor('the word', () => runner.heard.some((one) => one.taskId === taskId && one.word.type === 'cancel'))
    expect(await ask(socket, 'task:message', message)).toEqual(first)
  })

  it('is slowed down when it asks too much', async () => {
    const socket = connect()
    const answers = await Promise.all(Array.from({ length: 150 }, () => ask(socket, 'task:unwatch', { taskId: 'any' })))
    expect(answers.some(({ error }) => error?.code === 'rate_limited')).toBe(true)
    expect(answers[0]).toEqual({ ok: true })
  })

  it("learns nothing of somebody else's task", async () => {
    const [ours, theirs] = [connect(), connect({ token: bobToken })]
    const heard: unknown[] = []
    theirs.onAny((...words) => heard.push(words))
    const lease = await begin(ours)
    for (const event of ['task:watch', 'task:cancel'])
      expect(await ask(theirs, event, { taskId: lease.taskId })).toMatchObject({ ok: false, error: { code: 'not_found' } })
    await runner.sendDelta(lease, 0, 'secret')
    await runner.send(lease, 1, text(1))
    await finish(lease, 2)
    expect(await ask(theirs, 'task:unwatch', { taskId: lease.taskId })).toEqual({ ok: true })
    expect(heard).toEqual([])
  })

  it('cancels a task', async () => {
    const socket = connect()
    const { task } = await ask(socket, 'task:create', { repoUrl: `${coordinator.url}/demo/git/hello.git`, prompt: 'Stop me' })
    expect(await ask(socket, 'task:cancel', { taskId: task.id })).toMatchObject({ ok: true, task: { status: 'cancelled' } })
  })
})

describe('what a client hears', () => {
  it('learns that a task of its user was deleted, wherever that was done; nobody else does', async () => {
    const [socket, others] = [connect(), connect({ token: bobToken })]
    const [gone, othersGone]: string[][] = [[], []]
    socket.on('deleted', ({ taskId }) => gone?.push(taskId))
    others.on('deleted', ({ taskId }) => othersGone?.push(taskId))
    await Promise.all([connected(socket), connected(others)])
    const { task } = await ask(socket, 'task:create', { repoUrl: coordinator.demoRepoUrl, prompt: 'Go' })
    const remove = () => coordinator.api<{ error: { message: string } }>(`/api/tasks/${task.id}`, { method: 'DELETE' })
    const refusal = await remove()
    expect([refusal.status, refusal.body.error.message]).toEqual([409, expect.stringContaining('Cancel it first')])
    await ask(socket, 'task:cancel', { taskId: task.id })
    expect((await remove()).status).toBe(204)
    expect((await remove()).status).toBe(404)
    await waitFor('the word', () => gone?.length)
    expect([gone, othersGone]).toEqual([[task.id], []])
    expect(await ask(socket, 'task:watch', { taskId: task.id })).toMatchObject({ ok: false, error: { code: 'not_found' } })
  })

  it('gets every event of its tasks by only connecting, and the summary when it changes', async () => {
    const socket = connect()
    const events: TaskEvent[] = []
    const summaries: Task[] = []
    socket.on('event', (event) => events.push(event))
    socket.on('task', (task) => summaries.push(task))
    await connected(socket)
    const lease = await begin(socket)
    for (let n = 1; n <= 20; n++) await runner.send(lease, n, text(n))
    await finish(lease, 21)
    const mine = () => events.filter(({ taskId }) => taskId === lease.taskId)
    await waitFor('the end', () => mine().at(-1)?.type === 'task.ended')
    expect(mine()).toEqual(await coordinator.events(lease.taskId))
    expect(summaries.filter(({ id }) => id === lease.taskId).map(({ status }) => status)).toEqual([
      'pending',
      'running',
      'completed',
    ])
  })

  it('gets deltas of the task that it watches, and none that are forged', async () => {
    const [watcher, other] = [connect(), connect()]
    const heard: Delta[] = []
    const strayed: Delta[] = []
    watcher.on('delta', (delta) => heard.push(delta))
    other.on('delta', (delta) => strayed.push(delta))
    const lease = await begin(other)
    await ask(watcher, 'task:watch', { taskId: lease.taskId, after: 0 })
    await runner.sendDelta({ ...lease, signingKey: 'ff' }, 0, 'forged')
    // For the eye only, and dropped while the line is busy: each is said until it is heard.
    for (const [offset, text] of [
      [0, 'Hel'],
      [3, 'lo'],
    ] as const)
      await waitFor(`the delta ${text}`, async () => {
        await runner.sendDelta(lease, offset, text)
        return heard.some((delta) => delta.text === text)
      })
    expect([...new Map(heard.map((delta) => [delta.text, delta])).values()]).toEqual([
      { taskId: lease.taskId, attempt: 1, offset: 0, text: 'Hel' },
      { taskId: lease.taskId, attempt: 1, offset: 3, text: 'lo' },
    ])
    const printed: Delta[] = []
    watcher.on('output', (output) => printed.push(output))
    // A client that knows text alone must not take it for text.
    await waitFor('the output of a command', async () => {
      await runner.sendDelta(lease, 7, 'ok 1\n', 'toolu_1')
      return printed.length > 0
    })
    expect(printed[0]).toEqual({ taskId: lease.taskId, attempt: 1, callId: 'toolu_1', offset: 7, text: 'ok 1\n' })
    expect(heard.some(({ text }) => text === 'ok 1\n')).toBe(false)
    await ask(watcher, 'task:unwatch', { taskId: lease.taskId })
    await runner.sendDelta(lease, 5, '!')
    await finish(lease, 1)
    expect([heard.some((delta) => delta.text === '!'), strayed]).toEqual([false, []])
  })

  it('gets history and live events without a hole while events flow', async () => {
    const maker = connect()
    const lease = await begin(maker)
    const total = 1_500
    const late: ReturnType<typeof strictClient>[] = []
    for (let n = 1; n <= total; n++) {
      await runner.send(lease, n, text(n))
      if (![1, 300, 700, 1_100].includes(n)) continue
      await waitFor('a history', () => runner.acknowledged(lease) >= n)
      late.push(strictClient(lease.taskId))
    }
    await finish(lease, total + 1)
    expect(late).toHaveLength(4)
    for (const { events, skipped } of late) {
      await waitFor('the whole history', () => events.length === total + 5)
      expect(skipped).toEqual([])
    }
  })

  it('gets all in order though its connection is cut again and again', async () => {
    const maker = connect()
    const lease = await begin(maker)
    const client = strictClient(lease.taskId)
    const total = 1_000
    let cuts = 0
    for (let n = 1; n <= total; n++) {
      await runner.send(lease, n, text(n))
      if (n % 50 === 0 && client.socket.connected) {
        client.socket.io.engine.close()
        cuts++
      }
    }
    await finish(lease, total + 1)
    await waitFor('the whole history', () => client.events.length === total + 5)
    expect(cuts).toBeGreaterThan(5)
    expect(client.events.map(({ seq }) => seq)).toEqual(Array.from({ length: total + 5 }, (_, i) => i + 1))
    expect(client.skipped).toEqual([])
    expect(client.events.slice(3, -2).map(({ data }) => (data as { text: string }).text)).toEqual(
      Array.from({ length: total }, (_, i) => `${i + 1}`),
    )
  })
})
