import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { ApiError } from '../../app/src/client/api-error.ts'
import { createOutbox, GIVE_UP_MS, type OutboxParts } from '../../app/src/client/outbox.ts'
import type { Message, SendMessage, Task } from '../../contract/api.ts'

const TASK = { repoUrl: 'https://github.com/acme/shop', prompt: 'mend it' }
const away = () => Promise.reject(new ApiError('unreachable', 'no answer'))

const setUp = (kept = new Map<string, unknown>()) => {
  let ids = 0
  const taken: string[] = []
  const created: Task[] = []
  const said: SendMessage[] = []
  let answer: (clientId: string) => Promise<unknown> = async () => undefined
  const parts: OutboxParts = {
    api: {
      createTask: async ({ clientId = '' }) => {
        await answer(clientId)
        taken.push(clientId)
        return { id: `task of ${clientId}` } as Task
      },
      sendMessage: async (_taskId, message) => {
        await answer(message.clientId)
        said.push(message)
        return { id: 'm', clientId: message.clientId } as Message
      },
    },
    storage: {
      read: async <T>(key: string) => structuredClone((kept.get(key) ?? null) as T | null),
      write: async (key, value) => void kept.set(key, structuredClone(value)),
    },
    newId: () => `id${++ids}`,
    now: () => new Date(),
    onTask: (task) => created.push(task),
  }
  const answerWith = (next: typeof answer) => {
    answer = next
  }
  return { outbox: createOutbox(parts), kept, taken, created, said, answerWith }
}

describe('the outbox', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())
  const settle = () => jest.advanceTimersByTimeAsync(1)

  it('keeps what is sent on the device before it goes out', async () => {
    const { outbox, kept, answerWith } = setUp()
    const keptWhenSent: unknown[] = []
    answerWith(async () => keptWhenSent.push(structuredClone(kept.get('outbox'))))
    outbox.sendTask(TASK)
    await settle()
    expect(keptWhenSent).toEqual([[expect.objectContaining({ clientId: 'id1', body: { ...TASK, clientId: 'id1' } })]])
  })

  it('forgets a task that the server took, and hands it on', async () => {
    const { outbox, kept, created } = setUp()
    outbox.sendTask(TASK)
    await settle()
    expect(created).toEqual([{ id: 'task of id1' }])
    expect({ shown: outbox.state.get(), kept: kept.get('outbox') }).toEqual({ shown: [], kept: [] })
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
    expect({ shown: outbox.state.get().map(({ state }) => state), kept: kept.get('outbox') }).toEqual({
      shown: ['sent'],
      kept: [],
    })
    outbox.forget(clientId)
    expect(outbox.state.get()).toEqual([])
  })
})
