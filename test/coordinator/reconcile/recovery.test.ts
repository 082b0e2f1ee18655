import { mkdir } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { QUEUE_NAME } from '../../../contract/wire/names.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded, textWritten, usage } from '../../support/scripted/scripted-lines.ts'
import { createScriptedRunner, runnerCalls } from '../../support/scripted/scripted-runner.ts'
import { createClient } from '../../support/systems/client.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { spawnCoordinator, startCoordinator } from '../../support/systems/coordinator.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

let redis: TestRedis
const closers = closeAfterEach()

beforeEach(async () => {
  redis = await startRedis({ persistent: false })
  closers.push(redis.stop)
})

async function coreOn(options: { leaseMs?: number } = {}): Promise<Core> {
  const core = await startCore({ redisUrl: redis.url, ...options })
  closers.push(core.stop)
  return core
}

describe('when Redis loses its memory', () => {
  it('loses no event, though it is killed while events flow: the runner sends again what was not acknowledged', async () => {
    const core = await coreOn()
    const ada = await core.addUser('ada')
    const lease = await core.lease((await core.create(ada)).id)
    const total = 400
    let kills = 0
    let sent = 0
    const deadline = performance.now() + 25_000
    while (core.runner.acknowledged(lease) < total) {
      if (performance.now() > deadline) throw new Error(`${core.runner.acknowledged(lease)} acknowledged after ${kills} kills`)
      const from = core.runner.acknowledged(lease) + 1
      const window = Array.from({ length: Math.min(100, total - from + 1) }, (_, i) => from + i)
      await Promise.all(window.map((n) => core.runner.send(lease, n, textWritten(`${n}`)).then(() => sent++)))
      if (kills < 3 && from > kills * 100) {
        kills++
        await redis.kill()
        await redis.start()
      }
      const before = core.runner.acknowledged(lease)
      await waitFor('progress', () => core.runner.acknowledged(lease) > before, 1_500).catch(() => undefined)
    }
    const { events } = await core.tasks.events(ada.id, lease.taskId, { after: 3, limit: 1000 })
    expect(events.map((event) => (event.type === 'text.written' ? event.data.text : event.type))).toEqual(
      Array.from({ length: total }, (_, i) => `${i + 1}`),
    )
    expect({ kills, sentMore: sent > total }).toEqual({ kills: 3, sentMore: true })
  })

  it('puts the turns that wait into the queue again', async () => {
    const core = await coreOn()
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.runner.job(id)
    await core.redis.commands.flushall()
    expect(await core.runner.jobs()).toEqual([])
    expect((await core.runner.job(id)).taskId).toBe(id)
  })

  it('accepts tasks while Redis is away, and hands them out when it is back', async () => {
    const core = await coreOn()
    const ada = await core.addUser('ada')
    await redis.kill()
    await waitFor('the loss to be noticed', () => !core.dispatch.isReady())
    const startedAt = performance.now()
    const { id } = await core.create(ada)
    expect(await core.tasks.cancel(ada.id, (await core.create(ada)).id)).toMatchObject({ status: 'cancelled' })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'pending', reason: 'no_runner' })
    await redis.start()
    expect((await core.runner.job(id)).taskId).toBe(id)
  })
})

describe('when a runner is lost', () => {
  it('interrupts the attempt once its lease ran out, closes its pairs, and lets another try', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await core.runner.send(lease, 1, { type: 'turn.started', data: { turn: 1, model: 'm' } })
    await core.runner.deliver(lease, 2, { type: 'tool.started', data: { callId: 'c', name: 'bash', title: 'ls', input: {} } })
    await core.db.updateTable('attempts').set({ lease_until: 1 }).where('task_id', '=', id).execute()
    await core.untilStatus(ada, id, 'pending')
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ reason: 'runner_lost', attempt: 1 })
    const { events } = await core.tasks.events(ada.id, id, { after: 5, limit: 10 })
    expect(events.map(({ type, attempt }) => [type, attempt])).toEqual([
      ['tool.ended', 1],
      ['turn.ended', 1],
      ['attempt.ended', 1],
    ])
    const second = await core.lease(id)
    expect(second.attempt).toBe(2)
    await core.runner.send(lease, 3, attemptEnded())
    await core.runner.send(second, 1, attemptEnded())
    await core.untilStatus(ada, id, 'completed')
    expect(core.runner.acknowledged(lease)).toBe(2)
  })

  it('counts what the lost attempt had spent when its runner is back, once, and adds nothing to the history', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada, { budgetUsd: 5 })
    const find = () => core.tasks.find(ada.id, id)
    const first = await core.lease(id)
    await core.runner.deliver(first, 1, usage)
    await core.db.updateTable('attempts').set({ lease_until: 1 }).where('task_id', '=', id).execute()
    await waitFor('the task to wait again', async () => (await find()).status === 'pending')
    const second = await core.lease(id)
    expect(second.budgetUsd).toBe(4)
    const before = await find()

    const late = [usage, textWritten('1'), usage, attemptEnded()]
    const refused = (n: number) =>
      core.runner.heard.some(({ attempt, word }) => attempt === 1 && word.type === 'refused' && word.n === n)
    await core.runner.send(first, 4, usage)
    await waitFor('the hole to be seen', () => refused(1))
    for (const [index, event] of late.entries()) await core.runner.send(first, index + 2, event)
    await waitFor('the last', () => refused(5))
    expect(await find()).toEqual({ ...before, usage: { ...before.usage, inputTokens: 30, outputTokens: 15, costUsd: 3 } })
    expect(core.summaries.at(-1)?.usage.costUsd).toBe(3)

    for (const [index, event] of late.entries()) await core.runner.send(first, index + 2, event)
    await waitFor('the repeats', () => core.runner.acknowledged(first) === 5)
    await core.runner.send(second, 1, attemptEnded('interrupted', 'runner_stopped'))
    await waitFor('the task to wait again', async () => (await find()).status === 'pending')
    expect((await core.lease(id)).budgetUsd).toBe(2)
  })

  it('judges no lease before it has been up as long as one lasts', async () => {
    const core = await coreOn({ leaseMs: 60_000 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.lease(id)
    await core.db.updateTable('attempts').set({ lease_until: 1 }).where('task_id', '=', id).execute()
    // The reconciler has looked at least once when a lost job is there again.
    const other = await core.create(ada)
    await core.runner.job(other.id)
    await core.redis.commands.flushall()
    await core.runner.job(other.id)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'running' })
  })

  it('sees that too when the clock was set back since: no lease lasts an hour', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.lease(id)
    const lease_until = Date.now() + 3_600_000
    await core.db.updateTable('attempts').set({ lease_until }).where('task_id', '=', id).execute()
    await core.untilStatus(ada, id, 'pending')
  })

  it('sees that too when the queue cannot be read', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.lease(id)
    // BullMQ's list of what waits, made into something that is no list.
    await core.redis.commands.set(`bull:${QUEUE_NAME}:wait`, 'broken')
    await core.db.updateTable('attempts').set({ lease_until: 1 }).where('task_id', '=', id).execute()
    await core.untilStatus(ada, id, 'pending')
  })

  it('settles the others when one cannot be settled', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const [stuck, other] = [await core.create(ada), await core.create(ada)]
    for (const { id } of [stuck, other]) await core.lease(id)
    await sql`create trigger refuse before update of status on tasks when new.id = ${sql.lit(stuck.id)}
      begin select raise(abort, 'of the test'); end`.execute(core.db)
    await core.db.updateTable('attempts').set({ lease_until: 1 }).execute()
    await core.untilStatus(ada, other.id, 'pending')
    expect(await core.tasks.find(ada.id, stuck.id)).toMatchObject({ status: 'running' })
  })

  it('ends the task as cancelled when that was asked for', async () => {
    const core = await coreOn({ leaseMs: 0 })
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.lease(id)
    await core.tasks.cancel(ada.id, id)
    await core.db.updateTable('attempts').set({ lease_until: 1 }).where('task_id', '=', id).execute()
    await core.untilStatus(ada, id, 'cancelled')
  })
})

describe('when the coordinator is killed', () => {
  it('enqueues at the next start what was accepted and not enqueued', async () => {
    const folder = await temporaryFolder()
    closers.push(folder.remove)
    await mkdir(folder.path, { recursive: true })
    const first = await startCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    const { ownerToken, runnerToken } = first
    await first.stop()

    // Redis is gone when the task comes: it is accepted, stored, and can be enqueued by nobody.
    const killed = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    closers.push(() => killed.end('SIGKILL'))
    await redis.kill()
    const client = createClient(killed.url, ownerToken)
    const { id } = await client.send({ repoUrl: client.demoRepoUrl, prompt: 'Survive' })
    await killed.kill()
    await redis.start()

    const again = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    closers.push(() => again.end('SIGKILL'))
    const runner = await createScriptedRunner(redis.url)
    closers.push(runner.close)
    const lease = await runnerCalls(again.url, runnerToken).lease(await runner.job(id))
    expect(lease).toMatchObject({ taskId: id, attempt: 1, prompt: 'Survive' })
    expect(await again.end('SIGTERM')).toBe(0)
  })

  it('is not started twice on one database, and says why', async () => {
    const folder = await temporaryFolder()
    closers.push(folder.remove)
    const first = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    closers.push(() => first.end('SIGKILL'))
    const second = spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    await expect(second).rejects.toThrow(/ended with 1: Another coordinator uses .*errand.db\. Stop it first.*\n$/)
    await first.kill()
    const third = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
    expect(await third.end('SIGTERM')).toBe(0)
  })
})
