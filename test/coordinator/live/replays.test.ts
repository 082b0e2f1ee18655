import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { TaskEvent } from '../../../contract/api/event.ts'
import {
  createReplays,
  createRotation,
  createSendHistory,
  REPLAYS_PER_SOCKET,
  type Reader,
  type Replay,
} from '../../../coordinator/live/replays.ts'
import { createSocketPlaces } from '../../../coordinator/live/rooms.ts'
import type { Tasks } from '../../../coordinator/tasks/tasks.ts'
import { waitFor } from '../../support/checks/wait.ts'

function event(seq: number, taskId = 'a') {
  return { taskId, seq } as TaskEvent
}

describe('a rotation', () => {
  it('lets one in at a time, and each key as often as the others', async () => {
    const { enter } = createRotation()
    const entered: string[] = []
    let inside = 0
    const pass = async (key: string) => {
      const leave = await enter(key)
      expect(++inside).toBe(1)
      entered.push(key)
      await setImmediate()
      inside--
      leave()
    }
    await Promise.all(['a', 'a', 'a', 'a', 'b', 'c', 'b'].map(pass))
    expect(entered.join('')).toBe('abcabaa')
    await pass('d')
    expect(entered.at(-1)).toBe('d')
  })
})

describe('places for sockets', () => {
  it('are bounded for each user, and free again when one leaves, once', () => {
    const places = createSocketPlaces<string>(2)
    expect([places.take('u', '1'), places.take('u', '2'), places.take('u', '3'), places.take('v', '4')]).toEqual([
      ...[true, true],
      ...[false, true],
    ])
    places.leave('u', '1')
    places.leave('u', '1')
    expect([places.take('u', '5'), places.take('u', '6')]).toEqual([true, false])
  })
})

describe('holding live events back', () => {
  const begun = (replay: Replay | null): Replay => {
    if (!replay) throw new Error('it was under way')
    return replay
  }

  it('keeps them from sockets that are being sent the history, and from those alone', () => {
    const replays = createReplays()
    const replay = begun(replays.begin('s1', 'a', 0))
    replays.begin('s1', 'b', 0)
    expect(replays.holdBack(event(7))).toEqual(['s1'])
    expect(replay.heldBackTo).toBe(7)
    replays.end(replay)
    expect(replays.holdBack(event(8))).toEqual([])
  })

  it('begins no second history of a task on a socket: the first goes back as far as it must', () => {
    const replays = createReplays()
    const first = begun(replays.begin('s1', 'a', 0))
    first.sent = 500
    expect(replays.begin('s1', 'a', 900)).toBeNull()
    expect(first.sent).toBe(500)
    expect(replays.begin('s1', 'a', 300)).toBeNull()
    expect(first.sent).toBe(300)
    replays.end(first)
    expect(begun(replays.begin('s1', 'a', 900)).sent).toBe(900)
  })

  it('forgets a socket that is gone, and one history alone', () => {
    const replays = createReplays()
    const [gone, other] = [begun(replays.begin('s1', 'a', 0)), begun(replays.begin('s2', 'a', 0))]
    replays.forget('s1')
    expect([replays.isCurrent(gone), replays.isCurrent(other), replays.holdBack(event(2))]).toEqual([false, true, ['s2']])
    const anew = begun(replays.begin('s1', 'a', 0))
    replays.end(gone)
    expect(replays.isCurrent(anew)).toBe(true)
  })

  it('leaves out the history of a task that is no longer watched, but none of the live events that were kept', () => {
    const replays = createReplays()
    const [idle, held] = [begun(replays.begin('s1', 'a', 0)), begun(replays.begin('s2', 'a', 0))]
    replays.skip('s1', 'a')
    replays.skip('s1', 'unknown')
    expect(replays.isCurrent(idle)).toBe(false)
    for (const seq of [901, 902]) replays.holdBack(event(seq))
    replays.skip('s2', 'a')
    expect([replays.isCurrent(held), held.sent]).toEqual([true, 900])
    held.sent = 902
    replays.skip('s2', 'a')
    expect(replays.isCurrent(held)).toBe(false)
  })

  it('refuses more histories than a socket may have under way', () => {
    const replays = createReplays()
    for (let n = 0; n < REPLAYS_PER_SOCKET; n++) {
      replays.admit('s1', `t${n}`)
      replays.begin('s1', `t${n}`, 0)
    }
    expect(() => replays.admit('s1', 'another')).toThrow(expect.objectContaining({ code: 'rate_limited' }))
    replays.admit('s1', 't0')
    replays.admit('s2', 'another')
  })
})

describe('sending a history', () => {
  const LAST = 1_000
  /** Answers pages of 100 of a task that has 1,000 events. */
  const pagesOf = (read: string[]): Pick<Tasks, 'events'> => ({
    events: async (userId, taskId, { after, limit }, bytes) => {
      expect([limit <= 500, (bytes ?? Number.POSITIVE_INFINITY) <= 512 * 1024]).toEqual([true, true])
      read.push(`${userId} ${after}`)
      const events = Array.from({ length: Math.min(100, LAST - after) }, (_, index) => event(after + 1 + index, taskId))
      return { events, lastSeq: LAST, more: after + events.length < LAST }
    },
  })
  const readerOf = (userId: string) => {
    const got: number[] = []
    const reader: Reader = {
      user: { id: userId },
      isOpen: () => true,
      send: ({ seq }) => void got.push(seq),
      drained: async () => undefined,
    }
    return { reader, got }
  }

  it('reads one page at a time for each user in turn, and gives way to everything else between two', async () => {
    const read: string[] = []
    const [replays, pages, tasks] = [createReplays(), createRotation(), pagesOf(read)]
    const send = (userId: string, socketId: string) => {
      const { reader } = readerOf(userId)
      return createSendHistory({ reader, tasks, replays, pages })(replays.begin(socketId, 'a', 0) as Replay)
    }
    let rounds = 0
    let over = false
    const count = async () => {
      for (; !over; rounds++) await setImmediate()
    }
    const counting = count()
    const greedy = ['g1', 'g2', 'g3', 'g4'].map((socketId) => send('greedy', socketId))
    await Promise.all([...greedy, send('modest', 'm1')])
    over = true
    await counting
    expect(read.filter((page) => page.startsWith('greedy'))).toHaveLength(40)
    // From the second on, every other page is for the user with one reader.
    expect(read.slice(0, 21).filter((page) => page.startsWith('modest')).length).toBeGreaterThanOrEqual(9)
    expect(rounds).toBeGreaterThanOrEqual(read.length)
  })

  it('sends no page before the one before was taken, whatever else this reader asked for', async () => {
    const read: string[] = []
    const [replays, pages] = [createReplays(), createRotation()]
    const { reader } = readerOf('u')
    let take = (): void => undefined
    let asked = 0
    const slow: Reader = {
      ...reader,
      drained: () =>
        new Promise((resolve) => {
          asked += 1
          take = resolve
        }),
    }
    const sendHistory = createSendHistory({ reader: slow, tasks: pagesOf(read), replays, pages })
    const sent = ['a', 'b', 'c'].map((taskId) => sendHistory(replays.begin('s1', taskId, 800) as Replay))
    for (let taken = 0; taken < 6; taken++) {
      await waitFor('the next to wait for its reader', () => asked === taken + 1)
      expect(read).toHaveLength(taken)
      take()
    }
    await Promise.all(sent)
    expect(read.map((page) => page.split(' ')[1])).toEqual(['800', '800', '800', '900', '900', '900'])
  })

  it('goes back when it is asked for an earlier event meanwhile, and sends what was held back in its place', async () => {
    const read: string[] = []
    const replays = createReplays()
    const { reader, got } = readerOf('u')
    const replay = replays.begin('s1', 'a', 500) as Replay
    const send = reader.send
    let asked = false
    reader.send = (sent) => {
      send(sent)
      if (asked || sent.seq !== 700) return
      asked = true
      queueMicrotask(() => replays.begin('s1', 'a', 400))
    }
    await createSendHistory({ reader, tasks: pagesOf(read), replays, pages: createRotation() })(replay)
    const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
    expect(got).toEqual([...upTo(501, 700), ...upTo(401, 1_000)])
    expect(replays.isCurrent(replay)).toBe(false)
  })

  it('reads nothing for a reader that is gone, and lets the others in', async () => {
    const read: string[] = []
    const [replays, pages, tasks] = [createReplays(), createRotation(), pagesOf(read)]
    const [gone, there] = [readerOf('gone'), readerOf('there')]
    const sent = [
      createSendHistory({ reader: gone.reader, tasks, replays, pages })(replays.begin('s1', 'a', 0) as Replay),
      createSendHistory({ reader: there.reader, tasks, replays, pages })(replays.begin('s2', 'a', 900) as Replay),
    ]
    replays.forget('s1')
    await Promise.all(sent)
    expect([gone.got, there.got.length, read]).toEqual([[], 100, ['there 900']])
  })

  it('ends the history, and lets the others in, when a page cannot be read', async () => {
    const [replays, pages] = [createReplays(), createRotation()]
    const broken = { events: () => Promise.reject(new Error('disk')) }
    const replay = replays.begin('s1', 'a', 0) as Replay
    await expect(createSendHistory({ reader: readerOf('u').reader, tasks: broken, replays, pages })(replay)).rejects.toThrow(
      'disk',
    )
    expect(replays.isCurrent(replay)).toBe(false)
    const { reader, got } = readerOf('v')
    await createSendHistory({ reader, tasks: pagesOf([]), replays, pages })(replays.begin('s2', 'a', 900) as Replay)
    expect(got).toHaveLength(100)
  })
})
