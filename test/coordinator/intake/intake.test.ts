import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { MAX_INTERRUPTIONS } from '../../../contract/api/status.ts'
import { EVENT_STREAM } from '../../../contract/wire/names.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded, textWritten } from '../../support/scripted/scripted-lines.ts'
import type { TakenLease } from '../../support/scripted/scripted-runner.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

let core: Core
let ada: User

beforeAll(async () => {
  core = await startCore()
  ada = await core.addUser('ada')
})
afterAll(() => core.stop())

async function begin(): Promise<TakenLease> {
  return core.lease((await core.create(ada)).id)
}
async function history(taskId: string) {
  return (await core.tasks.events(ada.id, taskId, { after: 0, limit: 1000 })).events
}
async function texts(taskId: string) {
  return (await history(taskId)).flatMap((event) => (event.type === 'text.written' ? [event.data.text] : []))
}
function acknowledged(lease: TakenLease, n: number) {
  return waitFor(`acknowledgement of ${n}`, () => core.runner.acknowledged(lease) >= n)
}
async function status(taskId: string) {
  return (await core.tasks.find(ada.id, taskId)).status
}
function isRefused(lease: TakenLease) {
  return waitFor('a refusal', () =>
    core.runner.heard.some(
      ({ taskId, attempt, word }) => taskId === lease.taskId && attempt === lease.attempt && word.type === 'refused',
    ),
  )
}
function streamLength() {
  return core.redis.commands.xlen(EVENT_STREAM)
}

describe('storing events', () => {
  it('stores each once and in order, though sent twice and out of order, and trims what it has taken', async () => {
    const lease = await begin()
    await core.runner.deliver(lease, 1, textWritten('one'))
    await core.runner.send(lease, 3, textWritten('three'))
    await core.runner.send(lease, 1, textWritten('one'))
    await core.runner.deliver(lease, 2, textWritten('two'))
    await core.runner.deliver(lease, 3, textWritten('three'))
    expect(await texts(lease.taskId)).toEqual(['one', 'two', 'three'])
    expect((await history(lease.taskId)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
    await waitFor('an empty stream', async () => (await streamLength()) === 0)
  })

  it('tells of each event once, in the order of its number', async () => {
    const lease = await begin()
    await Promise.all(Array.from({ length: 200 }, (_, i) => core.runner.send(lease, i + 1, textWritten(`${i + 1}`))))
    await acknowledged(lease, 200)
    const told = core.told.filter(({ event }) => event.taskId === lease.taskId).map(({ event }) => event.seq)
    expect(told).toEqual(Array.from({ length: 203 }, (_, i) => i + 1))
  })

  it('believes nothing that is signed with another key, and goes on', async () => {
    const [mine, other] = [await begin(), await begin()]
    await core.runner.send(mine, 1, textWritten('forged'), { key: other.signingKey })
    await core.runner.deliver(mine, 1, textWritten('genuine'))
    expect(await texts(mine.taskId)).toEqual(['genuine'])
  })

  it('is not stopped by entries that nobody can read, nor by an event that a runner may not say', async () => {
    const lease = await begin()
    await core.redis.commands.xadd(EVENT_STREAM, '*', 'rubbish', '\u0000')
    await core.redis.commands.xadd(
      EVENT_STREAM,
      '*',
      'taskId',
      lease.taskId,
      'attempt',
      'x',
      'n',
      '-1',
      'at',
      '',
      'body',
      '{',
      'signature',
      '',
    )
    await core.runner.send(lease, 1, {
      type: 'task.ended',
      data: { turn: 1, status: 'completed', reason: 'done', message: null, branch: 'x' },
    })
    await core.runner.send(lease, 2, { type: 'nonsense' })
    await core.runner.deliver(lease, 3, textWritten('after'))
    expect(await texts(lease.taskId)).toEqual(['after'])
    expect(await status(lease.taskId)).toBe('running')
    expect((await history(lease.taskId)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  it('leaves out an event that cannot be stored, so that neither its attempt nor another waits for it forever', async () => {
    const [lease, other] = [await begin(), await begin()]
    await sql`create trigger refuse before insert on events when new.data like '%unstorable%'
      begin select raise(abort, 'of the test'); end`.execute(core.db)
    const sent = [textWritten('before'), textWritten('unstorable'), textWritten('after')]
    await Promise.all([
      ...sent.map((event, i) => core.runner.send(lease, i + 1, event)),
      core.runner.send(other, 1, textWritten('other')),
    ])
    await acknowledged(lease, 3)
    await acknowledged(other, 1)
    await sql`drop trigger refuse`.execute(core.db)
    expect([await texts(lease.taskId), await texts(other.taskId)]).toEqual([['before', 'after'], ['other']])
  })

  it('sums up what the model calls used', async () => {
    const lease = await begin()
    const data = {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: 3,
      cacheWriteTokens: 2,
      costUsd: 0.25,
      model: 'm',
      estimated: false,
    }
    await core.runner.send(lease, 1, { type: 'usage.counted', data })
    await core.runner.deliver(lease, 2, { type: 'usage.counted', data })
    const { usage } = await core.tasks.find(ada.id, lease.taskId)
    expect(usage).toEqual({ inputTokens: 20, outputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 4, costUsd: 0.5 })
    expect(core.summaries.some(({ id, usage: told }) => id === lease.taskId && told.costUsd === 0.5)).toBe(true)
  })
})

describe('the end of an attempt', () => {
  it('ends the task, with its branch when something was pushed to it', async () => {
    const lease = await begin()
    await core.runner.send(lease, 1, { type: 'branch.pushed', data: { branch: lease.branch, commit: 'abc' } })
    await core.runner.send(lease, 2, attemptEnded('completed'))
    await core.untilStatus(ada, lease.taskId, 'completed')
    const [last, before] = (await history(lease.taskId)).toReversed()
    expect(before).toMatchObject({ type: 'attempt.ended', attempt: 1 })
    expect(last).toMatchObject({
      type: 'task.ended',
      attempt: 0,
      data: { status: 'completed', reason: 'done', branch: lease.branch },
    })
    expect(await core.tasks.find(ada.id, lease.taskId)).toMatchObject({
      reason: 'done',
      error: null,
      completedAt: expect.any(String),
    })
  })

  it('acknowledges repeats of an ended attempt and refuses more of it', async () => {
    const lease = await begin()
    await core.runner.send(lease, 1, attemptEnded('failed', 'out_of_memory', 'killed at 2 GB'))
    await core.untilStatus(ada, lease.taskId, 'failed')
    const words = () => core.runner.heard.filter(({ taskId }) => taskId === lease.taskId).map(({ word }) => word)
    await acknowledged(lease, 1)
    await core.runner.send(lease, 1, attemptEnded('completed'))
    await waitFor('the repeat to be acknowledged', () => words().length === 2)
    expect(words()).toEqual(Array.from({ length: 2 }, () => ({ type: 'acknowledged', n: 1 })))
    await core.runner.send(lease, 2, textWritten('too late'))
    await isRefused(lease)
    expect(await core.tasks.find(ada.id, lease.taskId)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('killed at 2 GB'),
    })
    expect(await texts(lease.taskId)).toEqual([])
  })

  it('closes the pairs that were left open', async () => {
    const lease = await begin()
    await core.runner.send(lease, 1, { type: 'turn.started', data: { turn: 1, model: 'm' } })
    await core.runner.send(lease, 2, { type: 'tool.started', data: { callId: 'c', name: 'bash', title: 'ls', input: {} } })
    await core.runner.send(lease, 3, attemptEnded('failed', 'sandbox_crashed'))
    await core.untilStatus(ada, lease.taskId, 'failed')
    expect((await history(lease.taskId)).map(({ type }) => type).slice(3)).toEqual([
      ...['turn.started', 'tool.started', 'tool.ended', 'turn.ended', 'attempt.ended', 'task.ended'],
    ])
  })

  it('takes an interrupted turn up again with a new number, refuses the old one, and gives up at last', async () => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    await core.runner.send(first, 1, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, id, 'pending')
    expect(await core.tasks.find(ada.id, id)).toMatchObject({
      reason: 'runner_stopped',
      completedAt: null,
      reasonText: 'Interrupted: the runner was stopped. Retrying automatically.',
    })
    const second = await core.lease(id)
    expect(second.attempt).toBe(2)
    await core.runner.send(first, 2, textWritten('from the grave'))
    await isRefused(first)
    await core.runner.send(second, 1, attemptEnded('interrupted', 'host_disk_full'))
    await core.untilStatus(ada, id, 'pending')
    // Both were by one runner, which counts once.
    for (let runner = 2; runner <= MAX_INTERRUPTIONS; runner++) {
      await core.runner.send(await core.lease(id, undefined, `runner-${runner}`), 1, attemptEnded('interrupted', 'image_missing'))
      await core.untilStatus(ada, id, runner < MAX_INTERRUPTIONS ? 'pending' : 'failed')
    }
    const given = await core.tasks.find(ada.id, id)
    expect(given).toMatchObject({ status: 'failed', reason: 'abandoned', attempt: MAX_INTERRUPTIONS + 1 })
    // What was said while it waited is not promised any more, neither in the end nor in the attempts before it.
    expect(given.error).toMatch(/^Errand gave up: .*\nThe last interruption: The sandbox image is not on the runner\./)
    expect(JSON.stringify([given, await history(id)])).not.toMatch(/again|automatically/)
    expect(await texts(id)).toEqual([])
  })

  it('is not given up because one runner interrupts it again and again', async () => {
    const { id } = await core.create(ada)
    for (let attempt = 1; attempt <= MAX_INTERRUPTIONS; attempt++) {
      await core.runner.send(await core.lease(id), 1, attemptEnded('interrupted', 'engine_unavailable'))
      await core.untilStatus(ada, id, 'pending')
    }
    await core.runner.send(await core.lease(id, undefined, 'runner-b'), 1, attemptEnded('completed', 'done'))
    await core.untilStatus(ada, id, 'completed')
  })

  it('cancels instead of trying again when a person asked for it', async () => {
    const lease = await begin()
    expect(await core.tasks.cancel(ada.id, lease.taskId)).toMatchObject({ status: 'running' })
    await waitFor('the word', () =>
      core.runner.heard.some(({ taskId, word }) => taskId === lease.taskId && word.type === 'cancel'),
    )
    await core.runner.send(lease, 1, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, lease.taskId, 'cancelled')
    expect((await history(lease.taskId)).at(-1)).toMatchObject({ type: 'task.ended', data: { reason: 'cancelled_by_user' } })
  })
})
