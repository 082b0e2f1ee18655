import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { ConnectionEvents } from '../../../app/src/client/connection.ts'
import { type OpenFeed, openTaskFeed } from '../../../app/src/client/task-feed.ts'
import { ApiError } from '../../../client/api/api-error.ts'
import { PAGE } from '../../../client/shown-feed.ts'
import type { Message, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'

function event(seq: number): TaskEvent {
  return {
    taskId: 't',
    seq,
    attempt: 1,
    at: '2026-11-21T10:00:00.000Z',
    type: 'sandbox.ready',
    data: { node: '24' },
  }
}
function said(seq: number, clientId: string): TaskEvent {
  return {
    taskId: 't',
    seq,
    attempt: 0,
    at: '2026-11-21T10:00:00.000Z',
    type: 'message.received',
    data: { messageId: `m${seq}`, turn: 2, text: 'hi', mode: 'queue', clientId },
  }
}
function away() {
  return new ApiError('unreachable', 'no answer')
}

/** A server with the events of one task, a line to it that a test can break in any way, and a feed on them. */
function setUp(count: number, kept: Record<string, unknown> = {}) {
  const stored = Array.from({ length: count }, (_, index) => event(index + 1))
  const listeners: { [E in keyof ConnectionEvents]: Set<ConnectionEvents[E]> } = {
    event: new Set(),
    task: new Set(),
    delta: new Set(),
    live: new Set(),
  }
  const server = {
    stored,
    messages: [] as Message[],
    /** What becomes of a `task:watch`: answered with what follows, or as a test says. */
    watch: (after: number): Promise<{ lastSeq: number } | null> => {
      for (const one of stored.slice(after)) server.send(one)
      return Promise.resolve({ lastSeq: stored.length })
    },
    call: (): Promise<void> => Promise.resolve(),
    watches: [] as number[],
    calls: [] as string[],
    behind: false,
    send: (...events: TaskEvent[]) => {
      for (const one of events) for (const listener of listeners.event) listener(one)
    },
    live: () => {
      for (const listener of listeners.live) listener()
    },
    add: (...events: TaskEvent[]) => stored.push(...events),
  }
  const call = async <T>(name: string, answer: () => T): Promise<T> => {
    server.calls.push(name)
    await server.call()
    return answer()
  }
  const known: string[] = []
  const feed = openTaskFeed('t', {
    api: {
      findTask: () => call('task', () => ({ lastSeq: stored.length }) as Task),
      listEvents: (_id, { after = 0, limit = 0 } = {}) =>
        call(`events ${after}`, () => {
          const events = stored.slice(after, after + limit)
          return { events, lastSeq: stored.length, more: after + limit < stored.length }
        }),
      listMessages: () => call('messages', () => ({ items: server.messages })),
    },
    connection: {
      watch: (_id, after) => {
        server.watches.push(after)
        return server.watch(after)
      },
      unwatch: () => {},
      catchUp: (_id, behind) => {
        server.behind = behind
      },
      on: (name, listener) => {
        const set = listeners[name] as Set<typeof listener>
        set.add(listener)
        return () => set.delete(listener)
      },
    },
    storage: {
      read: async <T>(key: string) => (kept[key] ?? null) as T | null,
      write: async (key, value) => {
        kept[key] = value
      },
    },
    onMessage: (clientId) => known.push(clientId),
  })
  opened.push(feed)
  return { feed, server, known, kept }
}
const opened: OpenFeed[] = []
function seqs({ state }: OpenFeed) {
  return state.get().events.map(({ seq }) => seq)
}
function upTo(last: number, first = 1) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
function pass(ms: number) {
  return jest.advanceTimersByTimeAsync(ms)
}
function soon() {
  return pass(100)
}

beforeEach(() => void jest.useFakeTimers())
afterEach(() => {
  for (const feed of opened.splice(0)) feed.close()
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

describe('a feed', () => {
  it('opens with the newest page and grows with what comes', async () => {
    const { feed, server } = setUp(PAGE + 5)
    await soon()
    expect(seqs(feed)).toEqual(upTo(PAGE + 5, 6))
    expect(feed.state.get()).toMatchObject({ phase: 'ready', hasEarlier: true })
    server.add(event(PAGE + 6))
    server.send(event(PAGE + 6))
    await soon()
    expect(seqs(feed).at(-1)).toBe(PAGE + 6)
    await feed.loadEarlier()
    expect(seqs(feed)).toEqual(upTo(PAGE + 6))
    expect(feed.state.get().hasEarlier).toBe(false)
  })

  it('has what came while its first page was on the way', async () => {
    const { feed, server } = setUp(3)
    server.call = async () => {
      if (server.stored.length > 3) return
      server.add(event(4))
      server.send(event(4))
    }
    await soon()
    expect(seqs(feed)).toEqual(upTo(4))
    expect(server.behind).toBe(false)
  })

  it('mends a hole, although events after it keep coming', async () => {
    const { feed, server } = setUp(3)
    await soon()
    server.add(...upTo(60, 4).map(event))
    for (const seq of upTo(40, 5)) {
      server.send(event(seq))
      await pass(50)
    }
    expect(seqs(feed)).toEqual(upTo(60))
  })

  it('waits out a watch that is never acknowledged, and takes what was missed by a call', async () => {
    const { feed, server } = setUp(3)
    const { watch } = server
    server.watch = () => new Promise((resolve) => void setTimeout(() => resolve(null), 10_000))
    await pass(10_100)
    server.add(event(4), event(5))
    await pass(13_100)
    expect(seqs(feed)).toEqual(upTo(5))
    server.watch = watch
    server.add(event(6))
    await pass(3_100)
    expect(seqs(feed)).toEqual(upTo(6))
    const watches = server.watches.length
    await pass(60_000)
    expect(server.watches).toHaveLength(watches)
  })

  it('watches again when a new line comes up during a sync', async () => {
    const { feed, server } = setUp(3)
    await soon()
    const answers: ((answer: null) => void)[] = []
    const { watch } = server
    server.watch = () => new Promise((resolve) => answers.push(resolve))
    server.live()
    server.live()
    server.live()
    await soon()
    expect(server.watches).toHaveLength(2)
    server.watch = watch
    server.add(event(4))
    answers[0]?.(null)
    await soon()
    expect(server.watches).toHaveLength(3)
    expect(seqs(feed)).toEqual(upTo(4))
  })

  it('asks again for events that were promised and do not come', async () => {
    const { feed, server } = setUp(3)
    await soon()
    const { watch } = server
    server.add(event(4))
    server.watch = async () => ({ lastSeq: 4 })
    server.live()
    await soon()
    expect(server.behind).toBe(true)
    server.watch = watch
    await pass(5_100)
    expect(seqs(feed)).toEqual(upTo(4))
    expect(server.behind).toBe(false)
  })

  it('shows what was kept, and goes on from it or begins anew', async () => {
    const old = { 'feed:t': { events: upTo(3).map(event), lastSeq: 3 } }
    const near = setUp(5, structuredClone(old))
    await soon()
    expect(seqs(near.feed)).toEqual(upTo(5))
    expect(near.server.calls).toContain('events 3')
    const far = setUp(PAGE + 4, structuredClone(old))
    await soon()
    expect(seqs(far.feed)).toEqual(upTo(PAGE + 4, 5))
    const reset = setUp(2, structuredClone(old))
    await soon()
    expect(seqs(reset.feed)).toEqual(upTo(2))
  })

  it('keeps what it loaded for a start without a network', async () => {
    const { kept } = setUp(3)
    await pass(2_100)
    const offline = setUp(9, kept)
    offline.server.call = () => Promise.reject(away())
    await soon()
    expect(seqs(offline.feed)).toEqual(upTo(3))
    expect(offline.feed.state.get().phase).toBe('saved')
    offline.server.call = async () => undefined
    await pass(3_100)
    expect(seqs(offline.feed)).toEqual(upTo(9))
  })

  it('says why nothing could be loaded, and tries again by itself only where that can help', async () => {
    const { feed, server } = setUp(3)
    server.call = () => Promise.reject(away())
    await soon()
    expect(feed.state.get()).toMatchObject({ phase: 'error', error: { code: 'unreachable' } })
    server.call = async () => undefined
    await pass(3_100)
    expect(feed.state.get()).toMatchObject({ phase: 'ready', error: null })

    const gone = setUp(3)
    gone.server.call = () => Promise.reject(new ApiError('not_found', 'no such task'))
    await pass(60_000)
    expect(gone.server.calls).toEqual(['task'])
    expect(gone.feed.state.get().phase).toBe('error')
  })

  it('no longer listens once it is closed, also in the middle of its start', async () => {
    const { feed, server } = setUp(3)
    feed.close()
    await pass(60_000)
    expect(server.watches).toEqual([])
  })
})

describe('what was said', () => {
  it('is told by every page that holds it, for the outbox to let go of it', async () => {
    const { server, known, feed } = setUp(0)
    server.add(said(1, 'early'), ...upTo(PAGE + 1, 2).map(event), said(PAGE + 2, 'in the page'))
    await soon()
    expect(known).toEqual(['in the page'])
    server.add(said(PAGE + 3, 'live'))
    server.send(said(PAGE + 3, 'live'))
    await soon()
    await feed.loadEarlier()
    expect(known).toEqual(['in the page', 'live', 'early'])
  })

  it('before the first page is asked for once, and not at all when there is nothing before it', async () => {
    const message = { id: 'm1', clientId: 'c1', state: 'waiting' } as Message
    const long = setUp(PAGE + 1)
    long.server.messages = [message]
    await soon()
    long.server.live()
    await soon()
    expect(long.feed.state.get().messages).toEqual([message])
    expect(long.known).toEqual(['c1'])
    expect(long.server.calls.filter((name) => name === 'messages')).toHaveLength(1)
    const short = setUp(PAGE)
    await soon()
    expect(short.server.calls).not.toContain('messages')
  })
})
