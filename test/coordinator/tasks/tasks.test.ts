import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setOwnBudget } from '../../../coordinator/store/accounts/users.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

const repoUrl = 'https://github.com/a/b'
let core: Core
let ada: User
let bob: User

beforeAll(async () => {
  core = await startCore({ environment: { ERRAND_TASKS_PER_USER: '20' } })
  ada = await core.addUser('ada')
  bob = await core.addUser('bob')
})
afterAll(() => core.stop())

describe('creating a task', () => {
  it('stores it with its first two events, says so, and puts its turn into the queue', async () => {
    const task = await core.create(ada, { prompt: 'Füge den *Test* hinzu, bitte sehr schnell und gut', budgetUsd: 2 })
    expect(task).toMatchObject({
      status: 'pending',
      reason: 'no_runner',
      turn: 1,
      attempt: 0,
      lastSeq: 2,
      budgetUsd: 2,
      demo: true,
    })
    expect(task.branch).toBe(`errand/${task.id}/fuge-den-test-hinzu-bitte-sehr`)
    const { events, lastSeq, more } = await core.tasks.events(ada.id, task.id, { after: 0, limit: 10 })
    expect(events.map(({ seq, type, attempt }) => [seq, type, attempt])).toEqual([
      [1, 'task.created', 0],
      [2, 'message.received', 0],
    ])
    expect({ lastSeq, more }).toEqual({ lastSeq: 2, more: false })
    expect(core.told.filter(({ event }) => event.taskId === task.id)).toEqual(events.map((event) => ({ userId: ada.id, event })))
    expect(Object.keys(await core.runner.job(task.id)).toSorted()).toEqual(['signature', 'taskId', 'turn'])
    await core.tasks.cancel(ada.id, task.id)
  })

  it('gives one task to fifty that come at once with the same clientId', async () => {
    const input = { repoUrl, prompt: 'once', clientId: 'c-1' }
    const answers = await Promise.all(Array.from({ length: 50 }, () => core.tasks.create(ada, input)))
    expect(new Set(answers.map(({ task }) => task.id)).size).toBe(1)
    expect(answers.filter(({ created }) => created)).toHaveLength(1)
    expect((await core.tasks.create(bob, input)).created).toBe(true)
  })

  it('gives it the budget that it names, else its user’s own, else the server’s', async () => {
    const mia = await core.addUser('mia')
    const budgetOf = async (input = {}) => (await core.create(mia, input)).budgetUsd
    expect(await budgetOf()).toBe(5)
    await setOwnBudget(core.db, mia.id, 0.5)
    expect([await budgetOf(), await budgetOf({ budgetUsd: 2 })]).toEqual([0.5, 2])
    expect((await core.create(bob)).budgetUsd).toBe(5)
    // The same request again is the same task, whatever became of the default since.
    const first = await core.create(mia, { clientId: 'c-budget' })
    await setOwnBudget(core.db, mia.id, null)
    expect(await core.create(mia, { clientId: 'c-budget' })).toMatchObject({ id: first.id, budgetUsd: 0.5 })
    expect(await budgetOf()).toBe(5)
  })

  it('refuses the same clientId for something else', async () => {
    await core.create(ada, { clientId: 'c-2', prompt: 'one thing' })
    await expect(core.create(ada, { clientId: 'c-2', prompt: 'another' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(core.create(ada, { clientId: 'c-2', prompt: 'one thing', effort: 'low' })).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(core.create(ada, { clientId: 'c-2', prompt: 'one thing', budgetUsd: 9 })).rejects.toMatchObject({
      code: 'conflict',
    })
  })

  it('refuses a repository on a host that is not allowed', async () => {
    await expect(core.create(ada, { repoUrl: 'https://evil.example/a/b' })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('refuses more tasks than a user may have under way, and none of another user for it', async () => {
    const eve = await core.addUser('eve')
    await Promise.all(Array.from({ length: 20 }, () => core.create(eve)))
    await expect(core.create(eve)).rejects.toMatchObject({ code: 'rate_limited' })
    await expect(core.create(bob)).resolves.toMatchObject({ status: 'pending' })
  })
})

describe('reading tasks', () => {
  it("answers not_found for somebody else's task, whatever is asked", async () => {
    const { id } = await core.create(ada)
    const asked = [
      core.tasks.find(bob.id, id),
      core.tasks.events(bob.id, id, { after: 0, limit: 10 }),
      core.tasks.cancel(bob.id, id),
      core.tasks.patch(bob.id, id),
      core.tasks.bundle(bob.id, id),
    ]
    for (const answer of await Promise.allSettled(asked))
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } })
  })

  it('lists the newest first, page by page, without one twice or missing', async () => {
    const kim = await core.addUser('kim')
    const made: string[] = []
    for (let i = 0; i < 7; i++) made.push((await core.create(kim)).id)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await core.tasks.list(kim.id, { limit: 3, ...(cursor && { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
    } while (cursor)
    expect(seen.toSorted()).toEqual(made.toSorted())
    expect((await core.tasks.list(kim.id, { limit: 30, status: 'running' })).items).toEqual([])
  })

  it('refuses a cursor that is not its own', async () => {
    await expect(core.tasks.list(ada.id, { limit: 3, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('cancelling', () => {
  it('ends a waiting task at once and takes its turn out of the queue', async () => {
    const max = await core.addUser('max')
    const { id } = await core.create(max)
    expect(await core.tasks.cancel(max.id, id)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_user', lastSeq: 3 })
    const { events } = await core.tasks.events(max.id, id, { after: 2, limit: 10 })
    expect(events).toMatchObject([{ type: 'task.ended', data: { status: 'cancelled', branch: null } }])
    await waitFor('an empty place', async () => (await core.runner.jobs()).every(({ taskId }) => taskId !== id))
    await expect(core.tasks.cancel(max.id, id)).rejects.toMatchObject({ code: 'conflict' })
  })
})
