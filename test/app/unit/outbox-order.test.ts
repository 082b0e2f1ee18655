import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { ApiError } from '../../../client/api/api-error.ts'
import { away, setUp } from './scripted-outbox.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())
function settle() {
  return jest.advanceTimersByTimeAsync(1)
}

describe('an outbox with two messages to one task', () => {
  const say = (outbox: ReturnType<typeof setUp>['outbox']) => {
    for (const text of ['first', 'second']) outbox.sendMessage('t', { text, mode: 'queue' })
    outbox.sendMessage('another', { text: 'elsewhere', mode: 'queue' })
  }

  it('sends them in their order, though the first does not get through at once, and holds up no other task', async () => {
    const { outbox, said, answerWith } = setUp()
    answerWith(async (clientId) => (clientId === 'id1' ? away() : undefined))
    say(outbox)
    await jest.advanceTimersByTimeAsync(5_000)
    outbox.flush()
    await settle()
    expect(said.map(({ text }) => text)).toEqual(['elsewhere'])
    answerWith(async () => undefined)
    await jest.advanceTimersByTimeAsync(5_000)
    expect(said.map(({ text }) => text)).toEqual(['elsewhere', 'first', 'second'])
  })

  it.each([
    ['was refused', async (): Promise<unknown> => Promise.reject(new ApiError('invalid', 'no')), () => {}],
    [
      'is in the feed',
      () => new Promise<unknown>(() => {}),
      (outbox: ReturnType<typeof setUp>['outbox']) => outbox.forget('id1'),
    ],
  ])('goes on with the second when the first %s', async (_how, answer, then) => {
    const { outbox, said, answerWith } = setUp()
    answerWith(async (clientId) => (clientId === 'id1' ? answer() : undefined))
    say(outbox)
    await settle()
    then(outbox)
    await settle()
    expect(said.map(({ text }) => text)).toContain('second')
  })

  it('sends none of them when everything is taken away', async () => {
    const { outbox, said, kept, answerWith } = setUp()
    answerWith(away)
    say(outbox)
    await settle()
    answerWith(async () => undefined)
    outbox.clear()
    await jest.advanceTimersByTimeAsync(5_000)
    expect({ said, kept: kept.size, timers: jest.getTimerCount() }).toEqual({ said: [], kept: 0, timers: 0 })
  })
})
