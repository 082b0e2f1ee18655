import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LEASE_MS } from '../../../contract/wire/deadlines.ts'
import { findOverview } from '../../../coordinator/store/overview.ts'
import { countSlots } from '../../../coordinator/store/runners.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

let core: Core
let ada: User

beforeAll(async () => {
  core = await startCore()
  ada = await core.addUser('ada')
})
afterAll(() => core.stop())

function runner(id: string) {
  return { id, name: id.toUpperCase(), slots: 1 }
}

describe('asking for a lease', () => {
  it('gives one of many askers the attempt, and holds off the others', async () => {
    const { id } = await core.create(ada)
    const job = await core.runner.job(id)
    const answers = await Promise.all(['a', 'b', 'c', 'a'].map((name) => core.leases.grant({ job, runner: runner(name) })))
    expect(answers.filter(({ granted }) => granted)).toHaveLength(1)
    for (const answer of answers)
      if (!answer.granted) expect(answer).toMatchObject({ refusal: 'leased', retryAfterMs: expect.any(Number) })
    const { events } = await core.tasks.events(ada.id, id, { after: 2, limit: 10 })
    expect(events).toMatchObject([{ type: 'attempt.started', attempt: 1, data: { turn: 1 } }])
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'running', reason: null, attempt: 1 })
  })

  it('says what to do, and how much may still be spent', async () => {
    const { id } = await core.create(ada, { budgetUsd: 3, effort: 'high', baseBranch: 'dev', prompt: 'Do it' })
    const lease = await core.lease(id)
    expect(lease).toMatchObject({
      taskId: id,
      turn: 1,
      attempt: 1,
      leaseMs: LEASE_MS,
      prompt: 'Do it',
      baseBranch: 'dev',
      budgetUsd: 3,
      effort: 'high',
    })
    const data = {
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 2,
      model: 'm',
      estimated: false,
    }
    await core.runner.send(lease, 1, { type: 'usage.counted', data })
    await core.runner.send(lease, 2, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, id, 'pending')
    expect(await core.lease(id)).toMatchObject({ attempt: 2, budgetUsd: 1 })
  })

  it('refuses a forged job and one of a turn that never was, cancelled, or ended', async () => {
    const { id } = await core.create(ada)
    const job = await core.runner.job(id)
    const refusal = async (asked: typeof job) => core.leases.grant({ job: asked, runner: runner('a') })
    expect(await refusal({ ...job, turn: 2 })).toMatchObject({ granted: false, refusal: 'unknown' })
    expect(await refusal({ ...job, signature: 'ff' })).toMatchObject({ granted: false, refusal: 'unknown' })
    expect(await refusal(core.signatures.signJob('tsk_none', 1))).toMatchObject({ granted: false, refusal: 'unknown' })
    expect(await refusal(core.signatures.signJob(id, 2))).toMatchObject({ granted: false, refusal: 'unknown' })
    await core.tasks.cancel(ada.id, id)
    expect(await refusal(job)).toMatchObject({ granted: false, refusal: 'cancelled' })
    const other = await core.create(ada)
    const otherJob = await core.runner.job(other.id)
    await core.runner.send(await core.lease(other.id), 1, attemptEnded())
    await core.untilStatus(ada, other.id, 'completed')
    expect(await refusal(otherJob)).toMatchObject({ granted: false, refusal: 'ended' })
  })
})

describe('renewing', () => {
  it('keeps a lease for its holder alone, and tells of a cancel and of an end', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const attempts = [{ taskId: id, attempt: 1 }]
    const renew = async (name: string) => (await core.leases.renew({ runner: runner(name), attempts })).attempts[0]
    expect(await renew('runner-a')).toEqual({
      taskId: id,
      attempt: 1,
      state: 'leased',
      leaseMs: LEASE_MS,
      messages: [],
      taskBudgetUsd: 5,
    })
    expect(await renew('thief')).toMatchObject({ state: 'unknown', leaseMs: 0 })
    await core.tasks.cancel(ada.id, id)
    expect(await renew('runner-a')).toMatchObject({ state: 'cancel' })
    await core.runner.send(lease, 1, attemptEnded('cancelled', 'cancelled_by_user'))
    await core.untilStatus(ada, id, 'cancelled')
    expect(await renew('runner-a')).toMatchObject({ state: 'lost', leaseMs: 0 })
  })

  it('is the heartbeat by which waiting tasks know that a runner is there', async () => {
    await core.db.updateTable('runners').set({ seen_at: 0 }).execute()
    const { id } = await core.create(ada)
    const told = () => core.summaries.filter((task) => task.id === id).map(({ reason }) => reason)
    const reason = async () => (await core.tasks.find(ada.id, id)).reason
    expect(await reason()).toBe('no_runner')
    await core.leases.renew({ runner: runner('a'), attempts: [] })
    expect(await reason()).toBe('queued')
    await waitFor('the reason to be told', () => told().length === 2)
    await core.db.updateTable('runners').set({ seen_at: 0 }).execute()
    expect(await reason()).toBe('no_runner')
    await waitFor('the reason to be told again', () => told().length === 3)
    expect(told()).toEqual(['no_runner', 'queued', 'no_runner'])
  })

  it('tells which runner is unwell: nobody takes a task then, and its reason says why', async () => {
    const sick = { ...runner('sick'), unwell: { reason: 'engine_unavailable' as const, message: 'no such socket' } }
    const renew = (identity: typeof sick | ReturnType<typeof runner>) =>
      core.leases.renew({ runner: identity, attempts: [] }).then(() => undefined)
    await core.db.updateTable('runners').set({ seen_at: 0 }).execute()
    await renew(sick)
    const { id } = await core.create(ada)
    const reason = async () => (await core.tasks.find(ada.id, id)).reason
    expect([await reason(), await countSlots(core.db, Date.now())]).toEqual(['engine_unavailable', 0])
    const shown = (await findOverview(core.db, Date.now())).runners.find((one) => one.id === 'sick')
    expect(shown).toMatchObject({
      connected: true,
      unwell: { reason: 'engine_unavailable', reasonText: expect.stringContaining('Docker'), message: 'no such socket' },
    })
    await renew({ ...sick, unwell: { reason: 'runner_unwell', message: '' } } as never)
    await waitFor('the reason', async () => (await reason()) === 'runner_unwell')
    await renew(runner('well'))
    await waitFor('the reason', async () => (await reason()) === 'queued')
    expect(await countSlots(core.db, Date.now())).toBe(1)
    await renew(runner('sick'))
    expect(await countSlots(core.db, Date.now())).toBe(2)
    expect((await findOverview(core.db, Date.now())).runners.find((one) => one.id === 'sick')).not.toHaveProperty('unwell')
  })
})
