import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CONTRACT_VERSION } from '../../../contract/wire/lease.ts'
import { PROOF_HEADER, RUNNER_PATHS } from '../../../contract/wire/names.ts'
import { countSlots } from '../../../coordinator/store/runners.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { proveHolder } from '../../../runner/river/signatures.ts'
import { attemptEnded, usage } from '../../support/scripted/scripted-lines.ts'
import type { TakenLease } from '../../support/scripted/scripted-runner.ts'
import { type StaffedCoordinator, startStaffedCoordinator } from '../../support/systems/coordinator.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

function runner(id = 'runner-a') {
  return { id, name: 'A', slots: 1, contract: CONTRACT_VERSION }
}

function heldBy({ taskId, attempt, signingKey }: TakenLease) {
  return { taskId, attempt, proof: proveHolder(signingKey, taskId, attempt) }
}

describe('a restarted runner', () => {
  let core: Core
  let ada: User
  beforeAll(async () => {
    core = await startCore()
    ada = await core.addUser('ada')
  })
  afterAll(() => core.stop())

  const leaseUntil = async (taskId: string) =>
    (await core.db.selectFrom('attempts').select('lease_until').where('task_id', '=', taskId).executeTakeFirstOrThrow())
      .lease_until

  it('gets the lease of its attempt again, as it was when the attempt began', async () => {
    const { id } = await core.create(ada, { budgetUsd: 3, prompt: 'Do it' })
    const lease = await core.lease(id)
    const branch = lease.branch
    await core.runner.deliver(lease, 1, usage, { type: 'branch.pushed', data: { branch, commit: 'c'.repeat(40), before: null } })
    const { message } = await core.tasks.send(ada.id, id, { text: 'Also this', mode: 'steer', clientId: 'm-1' })
    await core.runner.deliver(lease, 3, { type: 'message.delivered', data: { messageId: message.id, turn: 1 } })
    await core.db
      .updateTable('attempts')
      .set({ lease_until: Date.now() + 1_000 })
      .where('task_id', '=', id)
      .execute()

    const answer = await core.leases.resume({ held: heldBy(lease), runner: runner() })
    if (!answer.granted) throw new Error('the lease was refused')
    expect(answer.lease.assignment).toMatchObject({ taskId: id, attempt: 1, turn: 1, prompt: 'Do it', budgetUsd: 3 })
    // What the attempt itself pushed and was told, its runner knows from its spool.
    expect(answer.lease).toMatchObject({
      signingKey: lease.signingKey,
      pushed: null,
      messages: [{ messageId: message.id, text: 'Also this' }],
    })
    expect(await leaseUntil(id)).toBeGreaterThan(Date.now() + 20_000)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'running', attempt: 1 })
  })

  it('does not get it with the wrong proof, for another runner, or once the attempt has ended', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const held = heldBy(lease)
    const resume = (change: object, by = runner()) => core.leases.resume({ held: { ...held, ...change }, runner: by })
    const refused = { granted: false }
    expect(await resume({ proof: 'ab'.repeat(32) })).toEqual(refused)
    expect(await resume({ proof: undefined })).toEqual(refused)
    expect(await resume({}, runner('runner-b'))).toEqual(refused)
    expect(await resume({ attempt: 2 })).toEqual(refused)
    expect(await resume({ taskId: 'tsk_none' })).toEqual(refused)
    await core.runner.send(lease, 1, attemptEnded('interrupted', 'runner_stopped'))
    await core.untilStatus(ada, id, 'pending')
    expect(await resume({})).toEqual(refused)
    const second = await core.lease(id)
    expect(await resume({})).toEqual(refused)
    expect(await resume(heldBy(second))).toMatchObject({ granted: true, lease: { assignment: { attempt: 2 } } })
  })

  it('that is too old gets no turn, and the tasks say so; the attempts that it has go on', async () => {
    const old = { id: 'runner-old', name: 'Old', slots: 7, contract: 0 }
    const { id } = await core.create(ada)
    const job = await core.runner.job(id)
    await core.db.updateTable('runners').set({ seen_at: 0 }).execute()
    expect(await core.leases.grant({ job, runner: old })).toMatchObject({ granted: false, refusal: 'outdated' })
    expect(await core.leases.renew({ runner: old, attempts: [] })).toMatchObject({ oldestContract: CONTRACT_VERSION })
    expect(await countSlots(core.db, Date.now())).toBe(0)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'pending', reason: 'runner_outdated' })

    // An attempt from before proofs were asked for.
    await core.lease(id, 1, old.id)
    await core.db.updateTable('attempts').set({ proven: 0 }).where('task_id', '=', id).execute()
    const held = { taskId: id, attempt: 1, proof: '' }
    expect((await core.leases.renew({ runner: old, attempts: [held] })).attempts).toMatchObject([{ state: 'leased' }])
  })
})

describe("a stolen runner's token", () => {
  let staffed: StaffedCoordinator
  let lease: TakenLease
  beforeAll(async () => {
    staffed = await startStaffedCoordinator()
    const { coordinator } = staffed
    const task = await coordinator.send({ repoUrl: coordinator.demoRepoUrl, prompt: 'Do it' })
    lease = await staffed.lease(task.id)
    await staffed.calls.keep(lease, 'transcript', '{}')
  })
  afterAll(() => staffed.stop())

  const call = (method: string, path: string, { body, proof }: { body?: string; proof?: string } = {}) =>
    fetch(staffed.coordinator.url + path, {
      method,
      headers: {
        authorization: `Bearer ${staffed.coordinator.runnerToken}`,
        'content-type': method === 'POST' ? 'application/json' : 'application/octet-stream',
        ...(proof !== undefined && { [PROOF_HEADER]: proof }),
      },
      ...(body !== undefined && { body }),
    })
  const post = async (path: string, body: object) => (await call('POST', path, { body: JSON.stringify(body) })).json()

  it("reads, writes, renews and takes nothing of another runner's attempt", async () => {
    const { taskId, attempt } = lease
    const { proof } = heldBy(lease)
    const mine = { taskId, attempt, proof: proveHolder('ab'.repeat(32), taskId, attempt) }
    for (const stolen of [undefined, '', mine.proof]) {
      const given = stolen === undefined ? {} : { proof: stolen }
      expect((await call('GET', RUNNER_PATHS.transcript(taskId, attempt), given)).status).toBe(403)
      expect((await call('PUT', RUNNER_PATHS.artifact(taskId, attempt, 'patch'), { body: 'forged', ...given })).status).toBe(403)
    }
    for (const held of [mine, { taskId, attempt }]) {
      expect(await post(RUNNER_PATHS.renew, { runner: runner(), attempts: [held] })).toMatchObject({
        attempts: [{ state: 'unknown', leaseMs: 0, messages: [] }],
      })
      expect(await post(RUNNER_PATHS.resume, { runner: runner(), held })).toEqual({ granted: false })
    }
    expect((await call('GET', RUNNER_PATHS.transcript(taskId, attempt), { proof })).status).toBe(200)
    expect((await call('PUT', RUNNER_PATHS.artifact(taskId, attempt, 'patch'), { body: 'mine', proof })).status).toBe(204)
  })
})
