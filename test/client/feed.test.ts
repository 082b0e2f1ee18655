import { describe, expect, it } from '@jest/globals'
import { appendEvents, beginAt, EMPTY_FEED, type Feed, liveTextOf, prependEvents, takeDelta } from '../../client/feed.ts'
import type { TaskEvent } from '../../contract/api/event.ts'

function event(seq: number, more: Partial<TaskEvent> = {}): TaskEvent {
  return {
    taskId: 't',
    seq,
    attempt: 1,
    at: '2026-11-21T10:00:00.000Z',
    type: 'sandbox.ready',
    data: { node: '24' },
    ...more,
  } as TaskEvent
}
function written(seq: number, text: string) {
  return event(seq, { type: 'text.written', data: { text } } as Partial<TaskEvent>)
}
function delta(offset: number, text: string, attempt = 1) {
  return { taskId: 't', attempt, offset, text }
}
function seqs(feed: Feed) {
  return feed.events.map(({ seq }) => seq)
}

describe('the events of a feed', () => {
  it('are taken in order, each once', () => {
    const feed = appendEvents(EMPTY_FEED, [event(1), event(2), event(2), event(1), event(3)])
    expect(seqs(feed)).toEqual([1, 2, 3])
  })

  it('stop before a hole', () => {
    const feed = appendEvents(EMPTY_FEED, [event(1), event(3), event(4)])
    expect({ seqs: seqs(feed), lastSeq: feed.lastSeq }).toEqual({ seqs: [1], lastSeq: 1 })
  })

  it('come whole when the list is sent again over what is there', () => {
    const first = appendEvents(EMPTY_FEED, [event(1), event(2), event(4)])
    expect(seqs(appendEvents(first, [event(2), event(3), event(4), event(5)]))).toEqual([1, 2, 3, 4, 5])
  })

  it('leave the feed as it is, the very same object, when nothing is new', () => {
    const feed = appendEvents(EMPTY_FEED, [event(1)])
    expect(appendEvents(feed, [event(1)])).toBe(feed)
  })

  it('begin at the newest page, and grow to the front only where they touch', () => {
    const feed = appendEvents(beginAt(10), [event(11), event(12)])
    expect(seqs(prependEvents(feed, [event(9), event(10), event(11)]))).toEqual([9, 10, 11, 12])
    expect(prependEvents(feed, [event(8)])).toBe(feed)
  })
})

describe('text as it is written', () => {
  const after = (...deltas: ReturnType<typeof delta>[]) => deltas.reduce(takeDelta, EMPTY_FEED)

  it('joins deltas by their offsets, whatever overlaps', () => {
    expect(liveTextOf(after(delta(0, 'Hello'), delta(3, 'lo wor'), delta(9, 'ld')))).toBe('Hello world')
  })

  it('shows that something was missed after a dropped delta', () => {
    expect(liveTextOf(after(delta(0, 'Hello'), delta(40, ' again')))).toBe('… again')
  })

  it('gives way to the event with the whole of it', () => {
    const feed = appendEvents(after(delta(0, 'Hello')), [written(1, 'Hello world')])
    expect(liveTextOf(feed)).toBeNull()
  })

  it('keeps the beginning of the next text when the event of the last one comes late', () => {
    const both = after(delta(0, 'First.'), delta(0, 'Sec'))
    expect(liveTextOf(appendEvents(both, [written(1, 'First.')]))).toBe('Sec')
  })

  it('belongs to the newest attempt alone', () => {
    expect(liveTextOf(after(delta(0, 'old', 1), delta(0, 'new', 2), delta(3, 'er', 1)))).toBe('new')
  })
})
