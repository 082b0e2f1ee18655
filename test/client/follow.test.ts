import { describe, expect, it } from '@jest/globals'
import { type Follow, type FollowEffect, type FollowInput, startFollowing, stepFollow } from '../../client/follow.ts'
import type { TaskEvent } from '../../contract/api/event.ts'

function event(seq: number, type = 'text.written', taskId = 't', data: object = { turn: 1 }): TaskEvent {
  return { taskId, seq, attempt: 1, at: '2026-11-21T10:00:00.000Z', type, data } as unknown as TaskEvent
}

function feed(inputs: FollowInput[], from: Follow = startFollowing('t')) {
  const effects: FollowEffect[] = []
  let state = from
  for (const input of inputs) {
    const stepped = stepFollow(state, input)
    state = stepped.state
    effects.push(...stepped.effects)
  }
  return {
    state,
    seqs: effects.flatMap((effect) => (effect.type === 'event' ? [effect.event.seq] : [])),
    asked: effects.flatMap((effect) => (effect.type === 'watch' ? [effect.after] : [])),
  }
}

function come(...seqs: number[]): FollowInput[] {
  return seqs.map((seq) => ({ type: 'event', event: event(seq) }))
}
const open: FollowInput[] = [{ type: 'connected' }, { type: 'watched', lastSeq: 0 }]

describe('the order of a feed', () => {
  it('gives each event out once, in order, and drops what it has', () => {
    expect(feed([...open, ...come(1, 2, 2, 1, 3)]).seqs).toEqual([1, 2, 3])
  })

  it('ignores events of other tasks', () => {
    expect(feed([...open, { type: 'event', event: event(1, 'text.written', 'other') }]).seqs).toEqual([])
  })

  it('asks again from the last event when there is a hole, once, and then gives out what it held', () => {
    const { seqs, asked } = feed([...open, ...come(1, 4, 5), { type: 'watched', lastSeq: 5 }, ...come(2, 3)])
    expect(seqs).toEqual([1, 2, 3, 4, 5])
    expect(asked).toEqual([0, 1])
  })

  it('holds live events that overtake the replay', () => {
    const { seqs, asked } = feed([{ type: 'connected' }, ...come(6), { type: 'watched', lastSeq: 5 }, ...come(1, 2, 3, 4, 5)])
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6])
    expect(asked).toEqual([0])
  })

  it('goes on from the last event after a lost connection', () => {
    const { seqs, asked } = feed([
      ...open,
      ...come(1, 2),
      { type: 'disconnected' },
      { type: 'connected' },
      { type: 'watched', lastSeq: 4 },
      ...come(3, 4),
    ])
    expect(seqs).toEqual([1, 2, 3, 4])
    expect(asked).toEqual([0, 2])
  })

  it('asks whether that is all when nothing comes, unless there is no connection', () => {
    expect(feed([...open, ...come(1), { type: 'quiet' }]).asked).toEqual([0, 1])
    expect(feed([{ type: 'quiet' }]).asked).toEqual([])
  })

  it('fills a hole from a page of stored events, and gives out what it held behind it', () => {
    const { seqs, asked } = feed([
      { type: 'connected' },
      ...come(4),
      { type: 'stored', events: [1, 2, 3].map((seq) => event(seq)), lastSeq: 4 },
    ])
    expect(seqs).toEqual([1, 2, 3, 4])
    expect(asked).toEqual([0])
  })

  it('begins where it is told to', () => {
    expect(feed([{ type: 'connected' }, ...come(7, 8, 9)], startFollowing('t', 7))).toMatchObject({ seqs: [8, 9], asked: [7] })
  })

  it('learns from an answer that comes after the connection is gone, and asks when the next one is there', () => {
    const late = feed([{ type: 'connected' }, { type: 'disconnected' }, { type: 'watched', lastSeq: 3 }])
    expect({ phase: late.state.phase, head: late.state.head }).toEqual({ phase: 'offline', head: 3 })
    expect(feed([{ type: 'connected' }, { type: 'watched', lastSeq: 3 }], late.state).state.phase).toBe('replaying')
  })

  it('bounds what it holds behind a hole, and takes the next event all the same', () => {
    const many = Array.from({ length: 2_500 }, (_, i) => i + 2)
    const { state } = feed([...open, ...come(...many)])
    expect(state.early.size).toBe(2_000)
    expect(feed(come(1), state).seqs).toHaveLength(2_001)
  })

  it('comes out right for any mixture of loss, repetition and reconnection', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed)
      const total = 40
      let state = startFollowing('t')
      const seen: number[] = []
      const server = { stored: 0, sending: [] as number[], connected: false }
      const give = (input: FollowInput) => {
        const stepped = stepFollow(state, input)
        state = stepped.state
        for (const output of stepped.effects) {
          if (output.type === 'event') seen.push(output.event.seq)
          if (output.type === 'watch') {
            server.sending = Array.from({ length: server.stored - output.after }, (_, i) => output.after + 1 + i)
            give({ type: 'watched', lastSeq: server.stored })
          }
        }
      }
      for (let turn = 0; turn < 2_000 && seen.length < total; turn++) {
        const dice = random()
        if (!server.connected) {
          server.connected = true
          give({ type: 'connected' })
        } else if (dice < 0.05) {
          server.connected = false
          server.sending = []
          give({ type: 'disconnected' })
        } else if (dice < 0.1) give({ type: 'quiet' })
        else if (dice < 0.5 && server.stored < total) {
          server.stored++
          if (random() < 0.7)
            give({ type: 'event', event: event(server.stored, server.stored === total ? 'task.ended' : 'text.written') })
        } else {
          const next = server.sending.shift()
          if (next) give({ type: 'event', event: event(next, next === total ? 'task.ended' : 'text.written') })
        }
      }
      expect({ seed, seen }).toEqual({ seed, seen: Array.from({ length: total }, (_, i) => i + 1) })
    }
  })
})

/** Mulberry32: small, and the same numbers for the same seed. */
function randomFrom(seed: number) {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
