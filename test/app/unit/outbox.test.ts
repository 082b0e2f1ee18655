import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { ApiError } from '../../../client/api/api-error.ts'
import type { Message } from '../../../contract/api/api.ts'
import { away, setUp } from './scripted-outbox.ts'

const MINUTE_MS = 60_000
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

  it('waits without a limit while nobody answers, says so, and goes out by itself', async () => {
    const { outbox, taken, said, answerWith } = setUp()
    answerWith(away)
    outbox.sendTask(TASK)
    outbox.sendMessage('t', { text: 'first', mode: 'queue' })
    outbox.sendMessage('t', { text: 'second', mode: 'queue' })
    await jest.advanceTimersByTimeAsync(24 * 60 * MINUTE_MS)
    expect(outbox.state.get()).toMatchObject([
      { state: 'waiting', error: expect.stringContaining('back online') },
      { state: 'waiting', error: expect.stringContaining('back online') },
      { state: 'waiting', error: expect.stringContaining('back online') },
    ])
    answerWith(async () => undefined)
    await jest.advanceTimersByTimeAsync(15_000)
    expect({ taken, said: said.map(({ text }) => text) }).toEqual({ taken: ['id1'], said: ['first', 'second'] })
  })

  it.each(['unavailable', 'rate_limited', 'internal'] as const)(
    'waits for a server whose answer is %s, in its words',
    async (code) => {
      const { outbox, taken, answerWith } = setUp()
      answerWith(() => Promise.reject(new ApiError(code, 'Not now.')))
      outbox.sendTask(TASK)
      await jest.advanceTimersByTimeAsync(2 * MINUTE_MS)
      expect(outbox.state.get()).toMatchObject([{ state: 'waiting', error: 'Not now. Retrying automatically.' }])
      answerWith(async () => undefined)
      await jest.advanceTimersByTimeAsync(15_000)
      expect(taken).toEqual(['id1'])
    },
  )

  it('asks ever more seldom, and at once when the line is back', async () => {
    const { outbox, taken, answerWith } = setUp()
    let tries = 0
    answerWith(() => {
      tries += 1
      return away()
    })
    outbox.sendTask(TASK)
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS)
    expect(tries).toBeLessThan(45)
    answerWith(async () => undefined)
    outbox.flush()
    await settle()
    expect(taken).toEqual(['id1'])
  })

  it('goes out at once when the line came back while a try still hung on the old one', async () => {
    const { outbox, taken, answerWith } = setUp()
    let lose: (error: Error) => void = () => {}
    answerWith(() => new Promise((_resolve, reject) => (lose = reject)))
    outbox.sendTask(TASK)
    await settle()
    answerWith(async () => undefined)
    outbox.flush()
    lose(new ApiError('unreachable', 'too late'))
    await settle()
    expect(taken).toEqual(['id1'])
  })

  it('is taken away while it waits, and not sent any more', async () => {
    const { outbox, taken, kept, answerWith } = setUp()
    answerWith(away)
    outbox.sendTask(TASK)
    await settle()
    outbox.forget('id1')
    answerWith(async () => undefined)
    await jest.advanceTimersByTimeAsync(MINUTE_MS)
    expect({ taken, kept: kept.size, timers: jest.getTimerCount() }).toEqual({ taken: [], kept: 0, timers: 0 })
  })

  it.each(['invalid', 'forbidden', 'not_found', 'conflict', 'too_large'] as const)(
    'shows at once that it was refused (%s), in the words of the server, and sends it again only when told to',
    async (code) => {
      const { outbox, taken, answerWith } = setUp()
      answerWith(() => Promise.reject(new ApiError(code, 'Not this one.')))
      outbox.sendTask(TASK)
      await settle()
      expect(outbox.state.get()).toMatchObject([{ state: 'failed', error: 'Not this one.' }])
      answerWith(async () => undefined)
      outbox.flush()
      await jest.advanceTimersByTimeAsync(MINUTE_MS)
      expect(taken).toEqual([])
      outbox.retry('id1')
      await settle()
      expect(taken).toEqual(['id1'])
    },
  )

  it('waits on after a reload, in its order', async () => {
    const before = setUp()
    before.answerWith(away)
    for (const text of ['first', 'second']) before.outbox.sendMessage('t', { text, mode: 'queue' })
    await jest.advanceTimersByTimeAsync(2 * MINUTE_MS)
    const after = setUp(before.kept)
    after.answerWith(away)
    await after.outbox.restore()
    await jest.advanceTimersByTimeAsync(2 * MINUTE_MS)
    expect(after.outbox.state.get()).toMatchObject([{ state: 'waiting' }, {}])
    after.answerWith(async () => undefined)
    await jest.advanceTimersByTimeAsync(15_000)
    expect(after.said.map(({ text }) => text)).toEqual(['first', 'second'])
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

  it('holds what it has while nobody is signed in, and sends it once after that', async () => {
    const kept = new Map<string, unknown>()
    const before = setUp(kept)
    before.answerWith(() => Promise.reject(new ApiError('unauthorized', 'sign in')))
    before.outbox.sendMessage('t', { text: 'hello', mode: 'steer' })
    await jest.advanceTimersByTimeAsync(MINUTE_MS)
    expect(before.outbox.state.get()).toEqual([
      expect.objectContaining({ state: 'waiting', error: expect.stringContaining('sign in again') }),
    ])
    const after = setUp(kept)
    after.answerWith(away)
    await after.outbox.restore()
    await jest.advanceTimersByTimeAsync(MINUTE_MS)
    expect(after.outbox.state.get()).toMatchObject([{ state: 'waiting', error: expect.stringContaining('back online') }])
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
