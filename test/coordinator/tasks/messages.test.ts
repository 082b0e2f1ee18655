import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { SendMessage } from '../../../contract/api/api.ts'
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

function steer(text: string, clientId = text) {
  return { text, mode: 'steer', clientId } as const
}
function queue(text: string, clientId = text) {
  return { text, mode: 'queue', clientId } as const
}
function send(taskId: string, input: SendMessage) {
  return core.tasks.send(ada.id, taskId, input)
}
function end(lease: TakenLease, n = 1, event = attemptEnded()) {
  return core.runner.deliver(lease, n, event)
}
function history(taskId: string) {
  return core.history(ada, taskId)
}
function states(taskId: string) {
  return core.messages(ada, taskId)
}

describe('a message', () => {
  it('to an ended task begins the next turn, with the transcript of the last', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    expect(first).toMatchObject({ turn: 1, prompt: 'one', hasTranscript: false, messages: [] })
    await core.artifacts.save(id, 1, 'transcript', Readable.from(['{}']))
    await end(first)
    const { message, created } = await send(id, steer('two'))
    expect({ created, message }).toMatchObject({ created: true, message: { text: 'two', state: 'waiting', turn: null } })
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'pending', turn: 2, queuePosition: 0, completedAt: null })
    const second = await core.lease(id, 2)
    expect(second).toMatchObject({ turn: 2, attempt: 2, prompt: 'two', messageId: message.id, hasTranscript: true, messages: [] })
    expect(await states(id)).toEqual(['one: delivered 1', 'two: delivered 2'])
    expect(await history(id)).toEqual([
      'received one (null, turn 1)',
      'started turn 1',
      'ended turn 1 completed',
      'received two (null, turn 2)',
      'started turn 2',
    ])
  })

  it('is known to each attempt by its hash, whatever became of it, as are all others and nothing else', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    const { message } = await send(id, steer('withdrawn'))
    await core.tasks.withdraw(ada.id, id, message.id)
    await send(id, queue('half \ud83d'))
    await end(first)
    const { said } = await core.lease(id, 2)
    expect(said).toEqual(['one', 'withdrawn', 'half \ufffd'].map((text) => createHash('sha256').update(text).digest('hex')))
  })

  it('is one message however often it is sent, and no other may have its clientId', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    await end(await core.lease(id))
    // With half of a surrogate pair, as a keyboard may send it.
    const sent = await Promise.all([1, 2, 3].map(() => send(id, steer('two \ud83d', 'c'))))
    expect(sent.map(({ created }) => created).sort()).toEqual([false, false, true])
    expect(new Set(sent.map(({ message }) => message.id)).size).toBe(1)
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ turn: 2 })
    await expect(send(id, steer('another text', 'c'))).rejects.toMatchObject({ code: 'conflict' })
    expect((await core.tasks.messages(ada.id, id)).map(({ text }) => text)).toEqual(['one', 'two \ufffd'])
  })

  it('that is queued waits for the end, and each is a turn of its own, in order', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    await send(id, queue('two'))
    await send(id, queue('three'))
    expect((await core.leases.renew({ runner: runnerOf(first), attempts: [first] })).attempts[0]?.messages).toEqual([])
    await end(first, 1, attemptEnded('failed', 'stuck'))
    const second = await core.lease(id, 2)
    expect(second).toMatchObject({ turn: 2, prompt: expect.stringMatching(/^two\n/), messages: [] })
    await end(second)
    expect(await core.lease(id, 3)).toMatchObject({ turn: 3, prompt: expect.stringMatching(/^three\n/) })
    expect(await history(id)).toEqual([
      'received one (null, turn 1)',
      'started turn 1',
      'received two (queue, turn 2)',
      'received three (queue, turn 3)',
      'ended turn 1 failed',
      'message.delivered',
      'started turn 2',
      'ended turn 2 completed',
      'message.delivered',
      'started turn 3',
    ])
  })

  it('that steers is told to the runner, told again at each renewal until the agent has it, and delivered once', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const { message } = await send(id, steer('faster'))
    const wanted = { messageId: message.id, text: 'faster' }
    await waitFor('the word', () => core.runner.heard.some(({ word }) => word.type === 'message'))
    expect(core.runner.heard.find(({ word }) => word.type === 'message')?.word).toEqual({ type: 'message', message: wanted })
    const renew = async () => (await core.leases.renew({ runner: runnerOf(lease), attempts: [lease] })).attempts[0]?.messages
    expect(await renew()).toEqual([wanted])
    const delivered = { type: 'message.delivered', data: { messageId: message.id, turn: 1 } } as const
    await core.runner.send(lease, 1, delivered)
    await core.runner.send(lease, 2, delivered)
    await core.runner.deliver(lease, 3, { type: 'message.delivered', data: { messageId: 'unknown', turn: 1 } })
    expect(await renew()).toEqual([])
    expect((await history(id)).filter((line) => line === 'message.delivered')).toHaveLength(1)
    expect((await states(id)).at(-1)).toBe('faster: delivered 1')
    await expect(core.tasks.withdraw(ada.id, id, message.id)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('comes with the next lease when the runner is lost between taking and delivering it', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    const [waiting, taken] = [(await send(id, steer('waiting'))).message, (await send(id, steer('taken'))).message]
    await core.runner.deliver(first, 1, { type: 'message.delivered', data: { messageId: taken.id, turn: 1 } })
    await end(first, 2, attemptEnded('interrupted', 'runner_lost'))
    await core.dispatch.restore({ taskId: id, turn: 1, waitingUntil: null })
    expect(await core.lease(id)).toMatchObject({
      turn: 1,
      attempt: 2,
      prompt: 'one',
      messages: [
        { messageId: waiting.id, text: 'waiting' },
        { messageId: taken.id, text: 'taken' },
      ],
    })
  })

  it('that steers and was not taken when the turn ended becomes the next turn', async () => {
    const { id } = await core.create(ada)
    const first = await core.lease(id)
    await send(id, steer('late'))
    await send(id, steer('later'))
    await end(first)
    expect(await core.lease(id, 2)).toMatchObject({ turn: 2, messages: [], prompt: expect.stringMatching(/^late\n/) })
  })

  it('is withdrawn while it waits, and taken back with all others by a cancel; what is said after that begins a turn', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const lease = await core.lease(id)
    const { message } = await send(id, steer('no'))
    expect(await core.tasks.withdraw(ada.id, id, message.id)).toMatchObject({ state: 'withdrawn' })
    await waitFor('the word', () => core.runner.heard.some(({ word }) => word.type === 'withdraw'))
    await send(id, queue('gone'))
    await core.tasks.cancel(ada.id, id)
    await send(id, steer('after all'))
    await end(lease, 1, attemptEnded('cancelled', 'cancelled_by_user'))
    expect(await core.tasks.find(ada.id, id)).toMatchObject({ status: 'pending', turn: 2 })
    expect(await states(id)).toEqual([
      'one: delivered 1',
      'no: withdrawn null',
      'gone: withdrawn null',
      'after all: waiting null',
    ])
    const last = (await core.tasks.messages(ada.id, id)).at(-1)
    await expect(core.tasks.withdraw(ada.id, id, last?.id ?? '')).rejects.toMatchObject({ code: 'conflict' })
    expect((await core.tasks.cancel(ada.id, id)).status).toBe('cancelled')
    expect((await states(id)).at(-1)).toBe('after all: withdrawn null')
  })

  it('that waited and now begins the turn that waits is taken back once, with what was said after it', async () => {
    const { id } = await core.create(ada, { prompt: 'one' })
    const first = await core.lease(id)
    await send(id, queue('two'))
    await end(first)
    await send(id, queue('three'))
    expect((await core.tasks.cancel(ada.id, id)).status).toBe('cancelled')
    expect(await states(id)).toEqual(['one: delivered 1', 'two: withdrawn null', 'three: withdrawn null'])
    const { events } = await core.tasks.events(ada.id, id, { after: 0, limit: 100 })
    const withdrawn = events.flatMap((event) => (event.type === 'message.withdrawn' ? [event.data.messageId] : []))
    expect(withdrawn).toEqual((await core.tasks.messages(ada.id, id)).slice(1).map((message) => message.id))
    expect(await history(id)).toEqual([
      'received one (null, turn 1)',
      'started turn 1',
      'received two (queue, turn 2)',
      'ended turn 1 completed',
      'received three (queue, turn 3)',
      'message.withdrawn',
      'message.withdrawn',
      'ended turn 2 cancelled',
    ])
  })

  it('that was withdrawn in the moment the agent took it counts as delivered', async () => {
    const { id } = await core.create(ada)
    const lease = await core.lease(id)
    const { message } = await send(id, steer('both'))
    await core.tasks.withdraw(ada.id, id, message.id)
    await core.runner.deliver(lease, 1, { type: 'message.delivered', data: { messageId: message.id, turn: 1 } })
    expect((await states(id)).at(-1)).toBe('both: delivered 1')
  })

  it('of somebody else is not found', async () => {
    const { id } = await core.create(ada)
    const eve = await core.addUser('eve')
    await expect(core.tasks.send(eve.id, id, steer('hi'))).rejects.toMatchObject({ code: 'not_found' })
    await expect(core.tasks.messages(eve.id, id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(core.tasks.retry(eve.id, id, {})).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a retry', () => {
  it('is the last turn again, with another model, effort and more budget, once for one clientId', async () => {
    const { id } = await core.create(ada, { prompt: 'one', budgetUsd: 2, model: 'claude-opus-5-5' })
    await expect(core.tasks.retry(ada.id, id, {})).rejects.toMatchObject({ code: 'conflict' })
    await end(await core.lease(id), 1, attemptEnded('failed', 'budget_exceeded'))
    const input = { model: 'claude-sonnet-5-5', effort: 'low' as const, budgetUsd: 3, clientId: 'again' }
    const twice = [await core.tasks.retry(ada.id, id, input), await core.tasks.retry(ada.id, id, input)]
    expect(twice).toMatchObject([
      { turn: 2, budgetUsd: 5 },
      { turn: 2, budgetUsd: 5 },
    ])
    expect(await core.lease(id, 2)).toMatchObject({ turn: 2, model: 'claude-sonnet-5-5', effort: 'low', budgetUsd: 5 })
    expect((await core.tasks.messages(ada.id, id)).map(({ text }) => text)).toEqual(['one', 'one'])
  })
})

describe('the list of tasks', () => {
  it('finds words of prompt and repository, and tells the place in the queue', async () => {
    const first = await core.create(ada, { prompt: 'Mend 100% of it', repoUrl: 'https://github.com/a/engine' })
    const second = await core.create(ada, { prompt: 'Add_French' })
    const find = async (search: string) =>
      (await core.tasks.list(ada.id, { search, limit: 30 })).items.map(({ id, queuePosition }) => ({ id, queuePosition }))
    expect(await find('engine MEND')).toEqual([{ id: first.id, queuePosition: 0 }])
    expect(await find('add_french')).toEqual([{ id: second.id, queuePosition: 1 }])
    expect(await find('0%')).toHaveLength(1)
    expect(await find('d_f')).toHaveLength(1)
    expect(await find('x%')).toEqual([])
    const byRepository = await core.tasks.list(ada.id, { repoUrl: 'https://github.com/a/engine', limit: 30 })
    expect(byRepository.items.map(({ id }) => id)).toEqual([first.id])
    const byId = async (id: string) => (await core.tasks.list(ada.id, { id, limit: 30 })).items.map((task) => task.id)
    expect(await byId(first.id.slice(0, 12))).toEqual([first.id])
    expect(await byId('tsk')).toHaveLength(2)
    // The underscore is no wildcard here.
    expect(await byId('t__')).toEqual([])
  })
})

function runnerOf(_lease: TakenLease) {
  return { id: core.runner.id, name: 'A', slots: 100 }
}
