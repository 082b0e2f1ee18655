import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { createScriptedRunner, runnerCalls, type TakenLease } from '../../support/scripted/scripted-runner.ts'
import { createClient } from '../../support/systems/client.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { spawnCoordinator } from '../../support/systems/coordinator.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { startRedis } from '../../support/systems/redis.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const closers = closeAfterEach()

/** A runner that has pushed and finished before it hears of the cancel. */
function finished(branch: string): NewEvent[] {
  return [
    { type: 'turn.started', data: { turn: 1, model: 'm' } },
    { type: 'branch.pushed', data: { branch, commit: 'c0ffee' } },
    {
      type: 'turn.ended',
      data: { turn: 1, outcome: 'completed', reason: 'done', summary: 'Mended.', message: null, diff: null },
    },
    attemptEnded(),
  ]
}

describe('a cancel that was accepted', () => {
  let core: Core
  let ada: User
  beforeEach(async () => {
    core = await startCore()
    closers.push(core.stop)
    ada = await core.addUser('ada')
  })
  const find = (id: string) => core.tasks.find(ada.id, id)
  const finish = (lease: TakenLease) => core.runner.deliver(lease, 1, ...finished(lease.branch))

  it('wins over a turn that has finished and pushed, and says that its work is on the branch', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    expect(await core.tasks.cancel(ada.id, id)).toMatchObject({ status: 'running' })
    await finish(lease)
    expect(await find(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user', error: null })
    const { events } = await core.tasks.events(ada.id, id, { after: 3, limit: 100 })
    expect(events).toMatchObject([
      { type: 'turn.started' },
      { type: 'branch.pushed' },
      { type: 'turn.ended', data: { outcome: 'completed', summary: 'Mended.' } },
      { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done' } },
      {
        type: 'task.ended',
        data: {
          turn: 1,
          status: 'cancelled',
          reason: 'cancelled_by_user',
          branch: lease.branch,
          message: 'The agent had already finished. Its work is on the branch.',
        },
      },
    ])
    await expect(core.tasks.cancel(ada.id, id)).rejects.toMatchObject({ code: 'conflict' })
  })

  it.each([
    ['a message after it', async (id: string) => core.tasks.cancel(ada.id, id), false],
    ['a message that stops the turn first', async () => undefined, true],
  ] as const)('ends that turn alone, and not the one that %s begins', async (_what, cancel, stopFirst) => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    await cancel(id)
    const sent = await core.tasks.send(ada.id, id, { text: 'rather this', mode: 'steer', clientId: 'next', stopFirst })
    expect(sent.message).toMatchObject({ mode: 'queue', state: 'waiting' })
    await finish(first)
    expect(await find(id)).toMatchObject({ status: 'pending', turn: 2, reason: 'queued' })
    expect((await core.history(ada, id)).at(-1)).toBe('ended turn 1 cancelled')
    const second = await core.lease(id, 2)
    await core.runner.deliver(second, 1, attemptEnded())
    expect(await find(id)).toMatchObject({ status: 'completed', turn: 2, reason: 'done' })
  })

  it('does not outlive its turn: a retry ends as its own attempt does', async () => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    await core.tasks.cancel(ada.id, id)
    await finish(first)
    expect(await core.tasks.retry(ada.id, id, {})).toMatchObject({ status: 'pending', turn: 2 })
    const second = await core.lease(id, 2)
    await core.runner.deliver(second, 1, attemptEnded('failed', 'stuck'))
    expect(await find(id)).toMatchObject({ status: 'failed', reason: 'stuck' })
  })
})

describe('cancels in the very moment in which turns end', () => {
  it('are refused or win, though the coordinator is killed among them', async () => {
    const [redis, folder] = [await startRedis(), await temporaryFolder()]
    closers.push(folder.remove, redis.stop)
    const spawn = async () => {
      const spawned = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
      closers.push(() => spawned.end('SIGKILL'))
      return spawned
    }
    const killed = await spawn()
    const token = async (name: string) => (await readFile(join(folder.path, name), 'utf8')).trim()
    const ownerToken = await token('owner-token')
    const client = createClient(killed.url, ownerToken)
    const runner = await createScriptedRunner(redis.url)
    closers.push(runner.close)
    const calls = runnerCalls(killed.url, await token('runner-token'), runner.id, 100)
    await calls.renew([])
    const begin = async (): Promise<TakenLease> => {
      const { id } = await client.send({ repoUrl: client.demoRepoUrl, prompt: 'Go' })
      return calls.lease(await runner.job(id))
    }
    const leases = await Promise.all(Array.from({ length: 20 }, begin))
    const finish = async (lease: TakenLease) => {
      for (const [index, event] of finished(lease.branch).entries()) await runner.send(lease, index + 1, event)
    }

    const answers = new Map<string, number>()
    let killing: Promise<void> | undefined
    let cutOff = 0
    const cancel = async ({ taskId }: TakenLease) => {
      answers.set(taskId, (await client.api(`/api/tasks/${taskId}/cancel`, { method: 'POST' })).status)
      if (answers.size === 10) killing = killed.kill()
    }
    const [first, ...others] = leases as [TakenLease, ...TakenLease[]]
    await cancel(first)
    expect([...answers.values()]).toEqual([202])
    // No more than ten at once, so that the kill finds some under way and some to come.
    const cancelInTurn = async () => {
      for (let lease = others.shift(); lease; lease = others.shift()) await cancel(lease).catch(() => cutOff++)
    }
    await Promise.all([...leases.map(finish), ...Array.from({ length: 10 }, cancelInTurn)])
    await killing
    expect({ answered: answers.size >= 10, cutOff: cutOff > 0, all: answers.size + cutOff }).toEqual({
      answered: true,
      cutOff: true,
      all: 20,
    })

    const again = createClient((await spawn()).url, ownerToken)
    // As a runner does that heard no acknowledgement.
    await Promise.all(leases.map(finish))
    const wrong: unknown[] = []
    for (const { taskId } of leases) {
      const status = await waitFor('the end', async () => {
        const task = await again.task(taskId)
        return task.status !== 'running' && task.status
      })
      const answer = answers.get(taskId)
      if (answer !== undefined && status !== (answer === 202 ? 'cancelled' : 'completed')) wrong.push([taskId, answer, status])
    }
    expect(wrong).toEqual([])
  })
})
