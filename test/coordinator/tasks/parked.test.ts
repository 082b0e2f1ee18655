import { beforeEach, describe, expect, it } from '@jest/globals'
import { Queue } from 'bullmq'
import type { NewEvent } from '../../../contract/api/event.ts'
import { jobId, QUEUE_NAME } from '../../../contract/wire/names.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { usage } from '../../support/scripted/scripted-lines.ts'
import type { TakenLease } from '../../support/scripted/scripted-runner.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'

const closers = closeAfterEach()
let redis: TestRedis
let core: Core
let queue: Queue
let ada: User
beforeEach(async () => {
  redis = await startRedis({ persistent: false })
  closers.push(redis.stop)
  core = await startCore({ redisUrl: redis.url, slots: 1 })
  closers.push(core.stop)
  queue = new Queue(QUEUE_NAME, { connection: { url: redis.url } })
  queue.on('error', () => undefined)
  closers.push(() => queue.close())
  ada = await core.addUser('ada')
})

const MINUTE = 60_000

function parkedFor(ms: number): NewEvent {
  const until = new Date(Date.now() + ms).toISOString()
  return { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'model_waiting', message: 'Overloaded', until } }
}

/** As a runner does it: reports the end, and lets the queue bring the turn back then. */
async function park(lease: TakenLease, ms: number, ...before: NewEvent[]): Promise<void> {
  await core.runner.deliver(lease, 1, ...before, parkedFor(ms))
  await queue.remove(jobId(lease.taskId, lease.turn))
  await core.dispatch.restore({ taskId: lease.taskId, turn: lease.turn, waitingUntil: Date.now() + ms })
}

async function parkedTask(ms = 8 * MINUTE): Promise<{ id: string; lease: TakenLease }> {
  const { id } = await core.create(ada)
  const lease = await core.lease(id)
  await park(lease, ms)
  return { id, lease }
}

const find = (id: string) => core.tasks.find(ada.id, id)
const isThere = (id: string, turn = 1) =>
  waitFor('the turn to wait in the queue', async () => (await stateOf(id, turn)) === 'waiting')
const stateOf = (id: string, turn = 1) => queue.getJobState(jobId(id, turn))
const refused = async (id: string) =>
  core.leases.grant({ job: await core.runner.job(id), runner: { id: 'runner-a', name: 'A', slots: 1 } })

describe('a turn that waits for the model', () => {
  it('says until when, has no place in line, and lets the others pass', async () => {
    const { id } = await parkedTask()
    const task = await find(id)
    expect(task).toMatchObject({ status: 'pending', reason: 'model_waiting', queuePosition: null, attempt: 1 })
    expect(Date.parse(task.waitingUntil ?? '') - Date.now()).toBeGreaterThan(7 * MINUTE)
    expect(core.summaries.at(-1)).toEqual(task)
    expect(await stateOf(id)).toBe('delayed')
    const next = await core.create(ada)
    expect(await find(next.id)).toMatchObject({ queuePosition: 0 })
    expect((await core.lease(next.id)).attempt).toBe(1)
  })

  it('spares others the long wait: they only look whether the same model is there', async () => {
    await parkedTask()
    const leases = []
    for (const model of ['claude-opus-5-5', 'claude-sonnet-5-5'])
      leases.push(await core.lease((await core.create(ada, { model })).id))
    expect(leases.map(({ firstModelWaitMs }) => firstModelWaitMs)).toEqual([15_000, undefined])
  })

  it('is not given to a runner before its time, and then comes with all that it needs to go on', async () => {
    const { id, lease } = await parkedTask(3_000)
    expect([lease.parkedBefore, lease.firstModelWaitMs]).toEqual([0, undefined])
    const answer = await refused(id)
    expect(answer).toMatchObject({ granted: false, refusal: 'parked' })
    expect(answer.granted ? 0 : answer.retryAfterMs).toBeGreaterThan(1_000)
    const again = await waitFor('its time', async () => {
      const granted = await refused(id)
      return granted.granted && granted.lease
    })
    expect(again).toMatchObject({ assignment: { attempt: 2, turn: 1, firstModelWaitMs: 15_000 }, parkedBefore: 1 })
    expect(await find(id)).toMatchObject({ status: 'running', reason: null, waitingUntil: null })
    const { events } = await core.tasks.events(ada.id, id, { after: 0, limit: 100 })
    expect(events.find(({ type }) => type === 'attempt.ended')?.data).toMatchObject({ until: expect.any(String) })
  })

  it('comes back at its time after Redis forgot everything, and not before', async () => {
    const { id } = await parkedTask(4_000)
    const { waitingUntil } = await find(id)
    await core.redis.commands.flushall()
    await waitFor('the turn in the queue again', async () => (await stateOf(id)) === 'delayed')
    await isThere(id)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(waitingUntil ?? ''))
    expect((await core.lease(id)).attempt).toBe(2)
  })

  it('is no interruption, waits longer each time, and starts from the beginning when the model answered meanwhile', async () => {
    const { id } = await core.create(ada)
    const before: number[] = []
    for (const events of [[], [], [], [usage], []]) {
      const lease = await waitFor('the next attempt', async () => {
        const answer = await refused(id)
        return answer.granted && ({ ...answer.lease, ...answer.lease.assignment } as TakenLease)
      })
      before.push(lease.parkedBefore)
      await park(lease, 1, ...events)
    }
    expect(before).toEqual([0, 1, 2, 3, 1])
    const lost = await core.db.selectFrom('attempts').selectAll().where('task_id', '=', id).execute()
    expect(lost.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual(Array(5).fill('interrupted model_waiting'))
  })

  it('ends when it has waited for a day in total, and says so', async () => {
    const { id, lease } = await parkedTask(1)
    await core.db
      .updateTable('attempts')
      .set({ waiting_until: Date.now() + 24 * 60 * MINUTE })
      .where('task_id', '=', id)
      .execute()
    const next = await core.lease(id)
    await core.runner.deliver(next, 1, parkedFor(MINUTE))
    expect(lease.attempt).toBe(1)
    expect(await find(id)).toMatchObject({
      status: 'failed',
      reason: 'model_unavailable',
      waitingUntil: null,
      error: expect.stringMatching(/waited for the model for 24 hours in total.*Overloaded/s),
    })
  })
})

describe('a person who does not want to wait for the model', () => {
  it('tries now', async () => {
    const { id } = await parkedTask()
    expect(await core.tasks.retry(ada.id, id, {})).toMatchObject({
      status: 'pending',
      turn: 1,
      reason: 'queued',
      waitingUntil: null,
    })
    await isThere(id)
    expect(await core.lease(id)).toMatchObject({ attempt: 2, turn: 1 })
    await expect(core.tasks.retry(ada.id, id, {})).rejects.toMatchObject({ code: 'conflict' })
  })

  it('tries now with another model and more money', async () => {
    const { id } = await parkedTask()
    const { budgetUsd } = await find(id)
    await core.tasks.retry(ada.id, id, { model: 'claude-haiku-4-5', budgetUsd: 3 })
    await isThere(id)
    expect(await core.lease(id)).toMatchObject({ model: 'claude-haiku-4-5', budgetUsd: budgetUsd + 3 })
  })

  it.each(['steer', 'queue'] as const)('sends a message (%s)', async (mode) => {
    const { id } = await parkedTask()
    await core.tasks.send(ada.id, id, { text: 'never mind the tests', mode, clientId: 'm' })
    await isThere(id)
    const { messages } = await core.lease(id)
    expect(messages.map(({ text }) => text)).toEqual(mode === 'steer' ? ['never mind the tests'] : [])
  })

  it('is heard though Redis is away: the turn comes back when it is there again', async () => {
    const { id } = await parkedTask()
    // The job pauses on although nobody told the queue.
    await core.db.updateTable('tasks').set({ waiting_until: Date.now() }).where('id', '=', id).execute()
    await isThere(id)
  })

  it('cancels: it ends at once and leaves the queue', async () => {
    const { id } = await parkedTask()
    expect(await core.tasks.cancel(ada.id, id)).toMatchObject({ status: 'cancelled', waitingUntil: null })
    expect(await stateOf(id)).toBe('unknown')
  })
})
