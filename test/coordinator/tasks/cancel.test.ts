import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Task } from '../../../contract/api/api.ts'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { createScriptedRunner, runnerCalls, type TakenLease } from '../../support/scripted/scripted-runner.ts'
import { spawnCoordinator } from '../../support/systems/coordinator.ts'
import { type Core, startCore } from '../../support/systems/core.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

let redis: TestRedis
const closers: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await redis.stop()
})

/** A runner that has pushed and finished before it hears of the cancel. */
function finished(branch: string): NewEvent[] {
  return [
    { type: 'turn.started', data: { turn: 1, model: 'm' } },
    { type: 'branch.pushed', data: { branch, commit: 'c0ffee' } },
    {
      type: 'turn.ended',
      data: { turn: 1, outcome: 'completed', reason: 'done', summary: 'Mended.', message: null, diff: null },
    },
    { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } },
  ]
}

describe('a cancel that was accepted', () => {
  let core: Core
  let ada: User
  beforeEach(async () => {
    core = await startCore({ redisUrl: redis.url })
    closers.push(core.stop)
    ada = await core.addUser('ada')
  })
  const find = (id: string) => core.tasks.find(ada.id, id)
  const finish = async (lease: TakenLease) => {
    const events = finished(lease.branch)
    for (const [index, event] of events.entries()) await core.runner.send(lease, index + 1, event)
    await waitFor('the end to be stored', () => core.runner.acknowledged(lease) === events.length)
  }

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
    await core.runner.send(second, 1, { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } })
    await waitFor('the end to be stored', () => core.runner.acknowledged(second) === 1)
    expect(await find(id)).toMatchObject({ status: 'completed', turn: 2, reason: 'done' })
  })

  it('does not outlive its turn: a retry ends as its own attempt does', async () => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    await core.tasks.cancel(ada.id, id)
    await finish(first)
    expect(await core.tasks.retry(ada.id, id, {})).toMatchObject({ status: 'pending', turn: 2 })
    const second = await core.lease(id, 2)
    await core.runner.send(second, 1, { type: 'attempt.ended', data: { outcome: 'failed', reason: 'stuck', message: null } })
    await waitFor('the end to be stored', () => core.runner.acknowledged(second) === 1)
    expect(await find(id)).toMatchObject({ status: 'failed', reason: 'stuck' })
  })
})

describe('cancels in the very moment in which turns end', () => {
  it('are refused or win, though the coordinator is killed among them', async () => {
    const folder = await temporaryFolder()
    closers.push(folder.remove)
    const spawn = async () => {
      const spawned = await spawnCoordinator({ redisUrl: redis.url, dataDir: folder.path })
      closers.push(() => spawned.end('SIGKILL'))
      return spawned
    }
    const killed = await spawn()
    const token = async (name: string) => (await readFile(join(folder.path, name), 'utf8')).trim()
    const authorization = `Bearer ${await token('owner-token')}`
    const call = (url: string, path: string, method = 'GET', body?: object) =>
      fetch(`${url}/api/tasks${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
    const runner = await createScriptedRunner(redis.url)
    closers.push(runner.close)
    const calls = runnerCalls(killed.url, await token('runner-token'), runner.id, 100)
    await calls.renew([])
    const begin = async (): Promise<TakenLease> => {
      const created = await call(killed.url, '', 'POST', { repoUrl: `${killed.url}/demo/git/hello.git`, prompt: 'Go' })
      const answer = await calls.lease(await runner.job(((await created.json()) as Task).id))
      if (!answer.granted) throw new Error(answer.refusal)
      return answer.lease
    }
    const leases = await Promise.all(Array.from({ length: 20 }, begin))
    const finish = async (lease: TakenLease) => {
      for (const [index, event] of finished(lease.branch).entries()) await runner.send(lease, index + 1, event)
    }

    const answers = new Map<string, number>()
    let killing: Promise<void> | undefined
    let cutOff = 0
    const cancel = async ({ taskId }: TakenLease) => {
      answers.set(taskId, (await call(killed.url, `/${taskId}/cancel`, 'POST')).status)
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

    const again = await spawn()
    // As a runner does that heard no acknowledgement.
    await Promise.all(leases.map(finish))
    const wrong: unknown[] = []
    for (const { taskId } of leases) {
      const status = await waitFor('the end', async () => {
        const task = (await (await call(again.url, `/${taskId}`)).json()) as Task
        return task.status !== 'running' && task.status
      })
      const answer = answers.get(taskId)
      if (answer !== undefined && status !== (answer === 202 ? 'cancelled' : 'completed')) wrong.push([taskId, answer, status])
    }
    expect(wrong).toEqual([])
  }, 120_000)
})
