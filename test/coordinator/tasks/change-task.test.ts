import { beforeEach, describe, expect, it } from '@jest/globals'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { closeAfterEach } from '../../support/systems/closing.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

const closers = closeAfterEach()
let core: Core
let ada: User
beforeEach(async () => {
  core = await startCore()
  closers.push(core.stop)
  ada = await core.addUser('ada')
})

function usage(costUsd: number): NewEvent {
  const tokens = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  return { type: 'usage.counted', data: { ...tokens, costUsd, model: 'claude-opus-5-5', estimated: false } }
}

const set = (id: string, budgetUsd: number) => core.tasks.change(ada.id, id, { budgetUsd })

describe('the budget of a task', () => {
  it('can be raised while it runs: the runner is told, and each renewal says it again', async () => {
    const { id, budgetUsd } = await core.create(ada)
    const lease = await core.lease(id)
    expect(lease.taskBudgetUsd).toBe(budgetUsd)
    expect(await set(id, budgetUsd + 3)).toMatchObject({ budgetUsd: budgetUsd + 3, status: 'running' })
    const word = { taskId: id, attempt: 1, word: { type: 'budget', taskBudgetUsd: budgetUsd + 3 } }
    await waitFor('the word', () => core.runner.heard.some(({ word: { type } }) => type === 'budget'))
    expect(core.runner.heard).toContainEqual(word)
    const runner = { id: core.runner.id, name: 'A', slots: 1 }
    const { attempts } = await core.leases.renew({ runner, attempts: [{ taskId: id, attempt: 1 }] })
    expect(attempts[0]).toMatchObject({ state: 'leased', taskBudgetUsd: budgetUsd + 3 })
  })

  it('is never set below what the task has cost', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await core.runner.deliver(lease, 1, usage(2))
    await expect(set(id, 1.5)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('already cost $2.00') })
    expect(await set(id, 2.5)).toMatchObject({ budgetUsd: 2.5 })
  })

  it('raised after its end is there for the next try', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const ended = { outcome: 'failed', reason: 'budget_exceeded', message: null } as const
    await core.runner.deliver(lease, 1, usage(4.5), { type: 'attempt.ended', data: ended })
    await set(id, 10)
    await core.tasks.retry(ada.id, id, {})
    expect((await core.lease(id, 2)).budgetUsd).toBeCloseTo(5.5)
  })

  it('is its owner’s alone', async () => {
    const { id } = await core.create(ada)
    const eve = await core.addUser('eve')
    await expect(core.tasks.change(eve.id, id, { budgetUsd: 100 })).rejects.toMatchObject({ code: 'not_found' })
  })
})
