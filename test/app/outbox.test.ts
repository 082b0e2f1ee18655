import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { ApiError } from '../../app/src/client/api-error.ts'
import { GIVE_UP_MS } from '../../app/src/client/outbox.ts'
import type { Message } from '../../contract/api.ts'
import { away, setUp } from './scripted-outbox.ts'

const TASK = { repoUrl: 'https://github.com/acme/shop', prompt: 'mend it' }
describe('the outbox', () => {
  beforeEach(() => {
    jest.useFakeTimers()
  })
  afterEach(() => void jest.useRealTimers())
  const settle = () => jest.advanceTimersByTimeAsync(1)

  it('keeps what is sent on the device before it goes out', async () => {
    const { outbox, kept, answerWith } = setUp()
    const keptWhenSent: unknown[] = []
    answerWith(async () => keptWhenSent.push(structuredClone([...kept.values()])))
    outbox.sendTask(TASK)
    await settle()
    expect(keptWhenSent).toEqual([[expect.objectContaining({ clientId: 'id1', body: { ...TASK, clientId: 'id1' } })]])
  })

  it('forgets a task that the server took, and hands it on', async () => {
    const { outbox, kept, created } = setUp()
    outbox.sendTask(TASK)
    await settle()
    expect(created).toEqual([{ id: 'task of id1' }])
    expect({ shown: outbox.state.get(), kept: kept.size }).toEqual({ shown: [], kept: 0 })
  })

  it('tries again by itself with the same clientId while the network is away', async () => {
    const { outbox, taken, answerWith } = setUp()
    answerWith(away)
    outbox.sendTask(TASK)
    await jest.advanceTimersByTimeAsync(5_000)
    expect(taken).toEqual([])
    answerWith(async () => undefined)
    outbox.flush()
    outbox.flush()
    await settle()
    expect(taken).toEqual(['id1'])
  })

  it('says after 30 seconds that it was not sent, and sends it again only when told to', async () => {
    const { outbox, taken, answerWith } = setUp()
    answerWith(away)
    outbox.sendTask(TASK)
    await jest.advanceTimersByTimeAsync(GIVE_UP_MS + 3_000)
    expect(outbox.state.get()).toEqual([
      expect.objectContaining({ state: 'failed', error: expect.stringContaining('30 seconds') }),
    ])
    answerWith(async () => undefined)
    outbox.flush()
    await settle()
    expect(taken).toEqual([])
    outbox.retry('id1')
    await settle()
    expect(taken).toEqual(['id1'])
  })

  it('does not count the time that a phone sleeps, and tries again after it with the same clientId', async () => {
    const { outbox, taken, answerWith } = setUp()
    let lose: (error: Error) => void = () => {}
    answerWith(() => new Promise((_resolve, reject) => (lose = reject)))
    outbox.sendTask(TASK)
    await settle()
    jest.setSystemTime(Date.now() + 20 * GIVE_UP_MS)
    lose(new ApiError('unreachable', 'the answer was lost in the sleep'))
    answerWith(away)
    await jest.advanceTimersByTimeAsync(GIVE_UP_MS / 2)
    expect(outbox.state.get()).toMatchObject([{ state: 'sending' }])
    answerWith(async () => undefined)
    await jest.advanceTimersByTimeAsync(5_000)
    expect(taken).toEqual(['id1'])
  })

  it('tells a refusal from an answer that never came', async () => {
    const { outbox, answerWith } = setUp()
    answerWith(async (clientId) => {
      throw new ApiError(clientId === 'id1' ? 'invalid' : 'unavailable', 'no')
    })
    outbox.sendTask(TASK)
    outbox.sendTask(TASK)
    await jest.advanceTimersByTimeAsync(GIVE_UP_MS + 3_000)
    expect(outbox.state.get()).toMatchObject([
      { state: 'failed', isRefused: true },
      { state: 'failed', isRefused: false },
    ])
  })

  it('shows a refusal at once, in the words of the server', async () => {
    const { outbox, answerWith } = setUp()
    answerWith(() => Promise.reject(new ApiError('invalid', 'This is not the address of a repository.')))
    outbox.sendTask(TASK)
    await settle()
    expect(outbox.state.get()).toEqual([
      expect.objectContaining({ state: 'failed', error: 'This is not the address of a repository.' }),
    ])
  })

  it('goes on after the app was closed, with the same clientId', async () => {
    const before = setUp()
    before.answerWith(() => new Promise(() => {}))
    before.outbox.sendMessage('t', { text: 'and the docs', mode: 'queue' })
    await settle()
    const after = setUp(before.kept)
    await after.outbox.restore()
    await settle()
    expect(after.said).toEqual([{ text: 'and the docs', mode: 'queue', clientId: 'id1' }])
  })

  it('shows a sent message until its event is here, and does not keep it', async () => {
    const { outbox, kept } = setUp()
    const clientId = outbox.sendMessage('t', { text: 'hello', mode: 'steer' })
    await settle()
    expect({ shown: outbox.state.get().map(({ state }) => state), kept: kept.size }).toEqual({
      shown: ['sent'],
      kept: 0,
    })
    outbox.forget(clientId)
    expect(outbox.state.get()).toEqual([])
  })

  it('sends once what is flushed, restored and tried again in the same moment', async () => {
    const kept = new Map<string, unknown>()
    const before = setUp(kept)
    before.answerWith(() => new Promise(() => {}))
    before.outbox.sendTask(TASK)
    await settle()
    const after = setUp(kept)
    const restored = after.outbox.restore()
    after.outbox.flush()
    await restored
    after.outbox.flush()
    after.outbox.flush()
    await after.outbox.restore()
    await jest.advanceTimersByTimeAsync(10_000)
    expect(after.taken).toEqual(['id1'])
  })

  it('keeps what was left when something new is sent before that is read', async () => {
    const kept = new Map<string, unknown>()
    const before = setUp(kept)
    before.answerWith(away)
    before.outbox.sendMessage('t', { text: 'first', mode: 'queue' })
    await settle()
    const after = setUp(kept)
    const { list } = after.parts.storage
    after.parts.storage.list = (prefix) => new Promise((resolve) => setTimeout(() => resolve(list(prefix)), 500)) as never
    after.answerWith(away)
    const restored = after.outbox.restore()
    after.outbox.sendMessage('t', { text: 'second', mode: 'queue' })
    await settle()
    expect(kept.size).toBe(2)
    await jest.advanceTimersByTimeAsync(600)
    await restored
    expect(after.outbox.state.get().map(({ body }) => ('text' in body ? body.text : ''))).toEqual(['first', 'second'])
    after.answerWith(async () => undefined)
    after.outbox.flush()
    await settle()
    expect(after.said.map(({ clientId }) => clientId)).toEqual(['id1', 'id2'])
  })

  it('does not bring back what a feed has seen, nor write over what another window keeps', async () => {
    const kept = new Map<string, unknown>()
    const other = setUp(kept)
    other.answerWith(away)
    other.outbox.sendTask(TASK)
    await settle()
    const here = setUp(kept)
    here.outbox.sendTask(TASK)
    await settle()
    expect([...kept.keys()]).toEqual(['outbox:id1'])
    here.outbox.forget('id1')
    await here.outbox.restore()
    await settle()
    expect(here.taken).toEqual(['id2'])
    expect(kept.size).toBe(0)
  })

  it('lets go of a message whose event is long past', async () => {
    const { outbox, parts } = setUp()
    parts.api.sendMessage = async () => ({ id: 'm', state: 'delivered' }) as Message
    outbox.sendMessage('t', { text: 'sent by an earlier run', mode: 'queue' })
    await settle()
    expect(outbox.state.get()).toEqual([])
  })

  it('holds what it has while nobody is signed in, also past 30 seconds, and sends it once after that', async () => {
    const kept = new Map<string, unknown>()
    const before = setUp(kept)
    before.answerWith(() => Promise.reject(new ApiError('unauthorized', 'sign in')))
    before.outbox.sendMessage('t', { text: 'hello', mode: 'steer' })
    await jest.advanceTimersByTimeAsync(GIVE_UP_MS * 2)
    expect(before.outbox.state.get()).toEqual([
      expect.objectContaining({ state: 'sending', error: expect.stringContaining('signed in again') }),
    ])
    const after = setUp(kept)
    after.answerWith(away)
    await after.outbox.restore()
    await jest.advanceTimersByTimeAsync(GIVE_UP_MS - 5_000)
    expect(after.outbox.state.get()).toMatchObject([{ state: 'sending', error: null }])
    after.answerWith(async () => undefined)
    after.outbox.flush()
    await jest.advanceTimersByTimeAsync(5_000)
    expect(after.said).toEqual([{ text: 'hello', mode: 'steer', clientId: 'id1' }])
    expect(kept.size).toBe(0)
  })

  it('sends nothing of another user, however late that comes to light', async () => {
    const before = setUp()
    before.answerWith(away)
    before.outbox.sendTask(TASK)
    await settle()
    const after = setUp(before.kept)
    after.checkUserBy(async () => 'usr_bob')
    await after.outbox.restore()
    await jest.advanceTimersByTimeAsync(5_000)
    expect({ taken: after.taken, kept: after.kept.size, shown: after.outbox.state.get() }).toEqual({
      taken: [],
      kept: 0,
      shown: [],
    })
  })

  it('sends nothing before it is known who is signed in, and nothing of another user', async () => {
    const { outbox, taken, kept, checkUserBy } = setUp()
    checkUserBy(away)
    outbox.sendTask(TASK)
    await jest.advanceTimersByTimeAsync(5_000)
    expect(taken).toEqual([])
    checkUserBy(async () => {
      outbox.clear()
      return 'usr_bob'
    })
    await jest.advanceTimersByTimeAsync(5_000)
    expect({ taken, kept: kept.size, shown: outbox.state.get() }).toEqual({ taken: [], kept: 0, shown: [] })
  })
})
