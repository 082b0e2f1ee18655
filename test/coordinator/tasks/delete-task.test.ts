import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { findOverview } from '../../../coordinator/store/overview.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

let core: Core
let ada: User
beforeAll(async () => {
  core = await startCore({ environment: { ANTHROPIC_API_KEY: 'key' } })
  ada = await core.addUser('ada')
})
afterAll(() => core.stop())

const COST = {
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 2,
  model: 'm',
  estimated: false,
}

async function endedTask(clientId?: string) {
  const { id } = await core.create(ada, clientId === undefined ? {} : { clientId })
  const lease = await core.lease(id)
  await core.artifacts.save(id, lease.attempt, 'bundle', Readable.from(['work']))
  await core.artifacts.save(id, lease.attempt, 'output.a', Readable.from(['output']))
  await core.runner.deliver(lease, 1, { type: 'usage.counted', data: COST }, attemptEnded())
  await core.untilStatus(ada, id, 'completed')
  return { id, lease }
}

const files = async () => readdir(join(core.config.dataDir, 'artifacts'))
const rowsOf = async (id: string) => {
  const count = async (table: 'events' | 'inbox' | 'attempts' | 'artifacts') =>
    (await core.db.selectFrom(table).select('task_id').where('task_id', '=', id).execute()).length
  const tasks = await core.db.selectFrom('tasks').select('id').where('id', '=', id).execute()
  return [tasks.length, await count('events'), await count('inbox'), await count('attempts'), await count('artifacts')]
}
const totalOf = async (name: string) => (await findOverview(core.db, Date.now())).users.find((user) => user.name === name)

describe('deleting a task', () => {
  it('removes it for everybody at once, and all of it soon; what it cost stays known', async () => {
    const { id } = await endedTask('mine')
    const other = await endedTask()
    expect(await totalOf('ada')).toMatchObject({ tasks: 2, costUsd: 4 })
    await core.tasks.remove(ada.id, id)
    expect(core.deleted).toEqual([id])
    const gone = { code: 'not_found' }
    await expect(core.tasks.find(ada.id, id)).rejects.toMatchObject(gone)
    await expect(core.tasks.events(ada.id, id, { after: 0, limit: 10 })).rejects.toMatchObject(gone)
    await expect(core.tasks.retry(ada.id, id, {})).rejects.toMatchObject(gone)
    await expect(core.tasks.remove(ada.id, id)).rejects.toMatchObject(gone)
    expect((await core.tasks.list(ada.id, { limit: 10 })).items.map((task) => task.id)).toEqual([other.id])
    expect((await files()).filter((name) => name.startsWith(id))).toEqual([])
    expect(await totalOf('ada')).toMatchObject({ tasks: 1, costUsd: 4 })
    // Its clientId is free again.
    expect((await core.create(ada, { clientId: 'mine' })).id).not.toBe(id)
    await waitFor('nothing to be left of it', async () => (await rowsOf(id)).every((count) => count === 0), 60_000)
    expect((await rowsOf(other.id)).every((count) => count > 0)).toBe(true)
    expect((await files()).filter((name) => name.startsWith(other.id))).toHaveLength(2)
  })

  it('is refused in words while it waits or runs, and to everybody else', async () => {
    const { id } = await core.create(ada)
    const first = { code: 'conflict', message: 'This task has not ended yet. Cancel it first, then delete it.' }
    await expect(core.tasks.remove(ada.id, id)).rejects.toMatchObject(first)
    await core.lease(id)
    await expect(core.tasks.remove(ada.id, id)).rejects.toMatchObject(first)
    const grace = await core.addUser('grace')
    await expect(core.tasks.remove(grace.id, id)).rejects.toMatchObject({ code: 'not_found' })
    expect((await core.tasks.find(ada.id, id)).status).toBe('running')
  })

  it('lets what its runner still sends go: nothing comes back, and the runner need not send it again', async () => {
    const { id, lease } = await endedTask()
    await core.tasks.remove(ada.id, id)
    const told = core.summaries.length
    await core.runner.send(lease, 3, { type: 'usage.counted', data: COST })
    await waitFor('the word to the runner', () =>
      core.runner.heard.some(({ taskId, word }) => taskId === id && word.type === 'refused' && word.n === 3),
    )
    expect(core.summaries.slice(told).filter((task) => task.id === id)).toEqual([])
    await expect(core.artifacts.save(id, 1, 'output.b', Readable.from(['late']))).rejects.toMatchObject({ code: 'conflict' })
  })
})
