import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { jobId } from '../../../contract/wire/names.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'

let redis: TestRedis
let core: Core

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  core = await startCore({ redisUrl: redis.url, slots: 1 })
})
afterEach(async () => {
  await core.redis.commands.flushall()
  await core.stop()
})

async function finish(user: User, taskId: string) {
  const lease = await core.lease(taskId)
  await core.runner.send(lease, 1, attemptEnded())
  await core.untilStatus(user, taskId, 'completed')
  await core.dispatch.withdraw(taskId, 1)
}

describe('handing tasks to the queue', () => {
  it('lets two users take turns, though one sent all of hers first', async () => {
    const [ada, bob] = [await core.addUser('ada'), await core.addUser('bob')]
    for (let i = 0; i < 5; i++) await core.create(ada)
    for (let i = 0; i < 5; i++) await core.create(bob)
    const order: string[] = []
    while (order.length < 10) {
      const { id, user_id } = await waitFor('the next release', () =>
        core.db
          .selectFrom('tasks')
          .select(['id', 'user_id'])
          .where('status', '=', 'pending')
          .where('released_at', 'is not', null)
          .orderBy('released_at')
          .orderBy('created_at')
          .executeTakeFirst(),
      )
      order.push(user_id === ada.id ? 'a' : 'b')
      await finish(user_id === ada.id ? ada : bob, id)
    }
    // Without any runner two are let in before bob comes, or one, if he is quick; from then on each in turn.
    expect(['aababababb', 'ababababab']).toContain(order.join(''))
  })

  it('holds little more than the runners can take', async () => {
    const ada = await core.addUser('ada')
    for (let i = 0; i < 8; i++) await core.create(ada)
    await waitFor('two without any runner', async () => (await core.runner.jobs()).length === 2)
    await core.leases.renew({ runner: { id: 'runner-b', name: 'B', slots: 3 }, attempts: [] })
    await waitFor('as many as slots, and two', async () => (await core.runner.jobs()).length === 5)
  })

  it('says when a turn that is to be tried again has no runner to wait for, and lets others in while it pauses', async () => {
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await core.runner.send(lease, 1, attemptEnded('interrupted', 'host_disk_full'))
    // As shown when it is asked for, and as it was told last.
    const shown = async () => [await core.tasks.find(ada.id, id), core.summaries.findLast((task) => task.id === id)]
    const waitsFor = (reason: string) => waitFor(reason, async () => (await shown()).every((task) => task?.reason === reason))
    await waitsFor('host_disk_full')
    await core.db.updateTable('runners').set({ seen_at: 0 }).execute()
    await waitsFor('no_runner')
    await core.leases.renew({ runner: { id: 'runner-b', name: 'B', slots: 1 }, attempts: [] })
    await waitsFor('retrying')
    for (let i = 0; i < 5; i++) await core.create(ada)
    await waitFor('as many others as slots, and two', async () => (await core.runner.jobs()).length === 4)
    expect((await core.lease(id)).attempt).toBe(2)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'running', reason: null })
  })

  it('takes what is over out of the queue, and restores what failed there', async () => {
    const ada = await core.addUser('ada')
    const [over, waiting] = [await core.create(ada), await core.create(ada)]
    await core.runner.job(over.id)
    const job = await core.dispatch.queue.getJob(jobId(waiting.id, 1))
    await core.db.updateTable('tasks').set({ status: 'failed' }).where('id', '=', over.id).execute()
    await waitFor('the ended one to be gone', async () => (await core.runner.jobs()).every(({ taskId }) => taskId !== over.id))
    await job?.remove()
    await core.runner.job(waiting.id)
  })

  it('leaves retries to BullMQ, with the pauses that the runner counts', async () => {
    const ada = await core.addUser('ada')
    const { id } = await core.create(ada)
    await core.runner.job(id)
    const job = await core.dispatch.queue.getJob(jobId(id, 1))
    expect(job?.opts).toMatchObject({ attempts: 20, backoff: { type: 'capped' } })
  })
})
