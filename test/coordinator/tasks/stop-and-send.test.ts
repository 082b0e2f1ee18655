import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { SendMessage } from '../../../contract/api/api.ts'
import { jobId } from '../../../contract/wire/names.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { attemptEnded } from '../../support/scripted/scripted-lines.ts'
import type { TakenLease } from '../../support/scripted/scripted-runner.ts'
import { type Core, startCore } from '../../support/systems/core.ts'

let core: Core
let ada: User
beforeEach(async () => {
  core = await startCore()
  ada = await core.addUser('ada')
})
afterEach(() => core.stop())

function instead(text: string, clientId = text) {
  return { text, mode: 'steer', stopFirst: true, clientId } as const
}
function queue(text: string, clientId = text) {
  return { text, mode: 'queue', clientId } as const
}
function send(taskId: string, input: SendMessage) {
  return core.tasks.send(ada.id, taskId, input)
}
function end(lease: TakenLease, outcome: 'completed' | 'cancelled') {
  return core.runner.deliver(lease, 1, attemptEnded(outcome, outcome === 'completed' ? 'done' : 'cancelled_by_user'))
}
function asRunner() {
  return { id: core.runner.id, name: 'A', slots: 100 }
}
async function renewed(lease: TakenLease) {
  return (await core.leases.renew({ runner: asRunner(), attempts: [lease] })).attempts[0]
}
function history(taskId: string) {
  return core.history(ada, taskId)
}
function states(taskId: string) {
  return core.messages(ada, taskId)
}

describe('a message that stops the turn first', () => {
  const heardCancels = () => core.runner.heard.filter(({ word }) => word.type === 'cancel').length

  it('takes back what waits, is told to the runner, and begins the next turn at the end of the one it stopped', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    await send(id, queue('later'))
    const { message } = await send(id, instead('two'))
    expect(message).toMatchObject({ mode: 'queue', state: 'waiting', turn: null })
    await waitFor('the word', () => heardCancels() === 1)
    expect(await renewed(first)).toMatchObject({ state: 'cancel', messages: [] })
    await end(first, 'cancelled')
    expect(await core.lease(id, 2)).toMatchObject({ turn: 2, prompt: expect.stringMatching(/^two\n/), messages: [] })
    expect(await history(id)).toEqual([
      'received one (null, turn 1)',
      'started turn 1',
      'received later (queue, turn 2)',
      'message.withdrawn',
      'received two (queue, turn 2)',
      'ended turn 1 cancelled',
      'message.delivered',
      'started turn 2',
    ])
  })

  it('stops nothing when it comes again, neither the turn that ends nor its own', async () => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    const sent = await Promise.all([1, 2, 3].map(() => send(id, instead('two', 'c'))))
    expect(sent.map(({ created }) => created).sort()).toEqual([false, false, true])
    await waitFor('the word', () => heardCancels() === 1)
    await end(first, 'cancelled')
    const pending = await core.tasks.find(ada.id, id)
    expect((await send(id, instead('two', 'c'))).created).toBe(false)
    expect(await core.tasks.find(ada.id, id)).toEqual(pending)
    const second = await core.lease(id, 2)
    expect((await send(id, instead('two', 'c'))).created).toBe(false)
    expect(await renewed(second)).toMatchObject({ state: 'leased' })
    await end(second, 'completed')
    expect((await send(id, instead('two', 'c'))).created).toBe(false)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'completed', turn: 2 })
    expect(heardCancels()).toBe(1)
  })

  it('ends a turn that still waits, and its job is no longer to be had', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const job = await core.runner.job(id, 1)
    const { message } = await send(id, instead('two'))
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'pending', turn: 2 })
    expect(await states(id)).toEqual(['one: withdrawn null', 'two: waiting null'])
    expect(await history(id)).toEqual(['received one (null, turn 1)', 'ended turn 1 cancelled', 'received two (null, turn 2)'])
    expect(await core.leases.grant({ job, runner: asRunner() })).toMatchObject({ granted: false })
    await waitFor('the old job to be gone', async () => (await core.dispatch.queue.getJob(jobId(id, 1))) === undefined)
    expect(await core.lease(id, 2)).toMatchObject({ turn: 2, messageId: message.id })
  })

  it('begins the next turn of a task that has ended, as any other does', async () => {
    const { id } = await core.create(ada)
    await end(await core.lease(id), 'completed')
    await send(id, instead('two'))
    expect(await core.lease(id, 2)).toMatchObject({ turn: 2, prompt: expect.stringMatching(/^two\n/) })
    expect(heardCancels()).toBe(0)
  })

  it('that is refused stops nothing', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    await send(id, queue('one', 'c'))
    await expect(send(id, instead('another text', 'c'))).rejects.toMatchObject({ code: 'conflict' })
    expect(await renewed(lease)).toMatchObject({ state: 'leased' })
    expect((await states(id)).at(-1)).toBe('one: waiting null')
  })
})
