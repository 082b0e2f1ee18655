import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { keepAnswers } from '../../../app/src/client/storage/saved-answers.ts'
import type { Task } from '../../../contract/api/api.ts'

function summary(id: string, more: Partial<Task> = {}): Task {
  return { id, status: 'running', lastSeq: 1, ...more } as Task
}

function setUp() {
  const kept = new Map<string, unknown>([['saved:feeds', ['opened']]])
  let writes = 0
  const keeper = keepAnswers({
    list: async <T>(prefix: string) => [...kept].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value as T),
    write: async (key, value) => {
      writes += 1
      kept.set(key, value)
    },
  })
  const hear = (task: Task & { asOf?: string }) => keeper.hear(`task:${task.id}`, task, false)
  return { kept, hear, keeper, writes: () => writes }
}
function soon() {
  return jest.advanceTimersByTimeAsync(1)
}

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

describe('what is saved of tasks', () => {
  it('is what was heard last, with the time; of those that were opened here, and of no other', async () => {
    const { kept, hear } = setUp()
    hear(summary('opened'))
    hear(summary('another'))
    await soon()
    expect(kept.get('saved:task:opened')).toMatchObject({ status: 'running', asOf: expect.any(String) })
    expect(kept.has('saved:task:another')).toBe(false)
  })

  it('is written at once when a task ends, and else every two seconds at most', async () => {
    const { kept, hear, writes } = setUp()
    for (let lastSeq = 1; lastSeq <= 50; lastSeq++) {
      hear(summary('opened', { lastSeq }))
      await jest.advanceTimersByTimeAsync(100)
    }
    expect(writes()).toBeLessThan(6)
    hear(summary('opened', { lastSeq: 51, status: 'completed' }))
    await soon()
    expect(kept.get('saved:task:opened')).toMatchObject({ status: 'completed', lastSeq: 51 })
  })

  it('is written at once when it answers a question, however soon after the last one', async () => {
    const { kept, keeper } = setUp()
    for (const items of [[], ['added']]) {
      keeper.hear('projects', { items } as object, true)
      await soon()
    }
    expect(kept.get('saved:projects')).toMatchObject({ items: ['added'] })
  })

  it('has what was known of a task before it was opened', async () => {
    const { kept, hear, keeper } = setUp()
    hear(summary('sent here'))
    await soon()
    expect(kept.has('saved:task:sent here')).toBe(false)
    kept.set('saved:feeds', ['sent here', 'opened'])
    keeper.keepTask('sent here', summary('sent here'))
    await soon()
    expect(kept.get('saved:task:sent here')).toMatchObject({ status: 'running' })
  })

  it('is not made new by being read from the device, and no more once the user leaves', async () => {
    const { kept, hear, keeper, writes } = setUp()
    const read = { ...summary('opened'), asOf: '2026-11-21T10:42:00.000Z' }
    hear(read)
    await soon()
    keeper.keepTask('opened', read)
    await soon()
    expect(writes()).toBe(0)
    hear(summary('opened', { lastSeq: 2 }))
    await soon()
    hear(summary('opened', { lastSeq: 3 }))
    keeper.stop()
    hear(summary('opened', { lastSeq: 4, status: 'failed' }))
    await jest.advanceTimersByTimeAsync(10_000)
    expect(kept.get('saved:task:opened')).toMatchObject({ lastSeq: 2 })
  })
})
