import { describe, expect, it } from '@jest/globals'
import {
  addOutput,
  appendEvents,
  EMPTY_FEED,
  type Feed,
  type LiveOutput,
  lastLines,
  liveTextOf,
  takeDelta,
} from '../../client/feed.ts'
import { parseDelta } from '../../client/parse-socket.ts'
import type { NewEvent, TaskEvent } from '../../contract/api/event.ts'

function piece(offset: number, text: string, callId = 'a', attempt = 1) {
  return { taskId: 'tsk_1', attempt, callId, offset, text }
}

describe('the output of a running command', () => {
  const grown = (...pieces: ReturnType<typeof piece>[]) =>
    pieces.reduce<LiveOutput | null>((output, one) => addOutput(output, one), null) as LiveOutput

  it('grows piece by piece, and starts over after a lost one and with another call or attempt', () => {
    expect(grown(piece(0, 'one\n'), piece(4, 'two\n')).text).toBe('one\ntwo\n')
    expect(grown(piece(0, 'one\n'), piece(9, 'three\n')).text).toBe('three\n')
    expect(grown(piece(0, 'one\n'), piece(4, 'two\n', 'b')).text).toBe('two\n')
    expect(grown(piece(0, 'one\n'), piece(4, 'two\n', 'a', 2)).text).toBe('two\n')
  })

  it('is bounded, and shown as its last whole lines', () => {
    const many = grown(
      ...Array.from({ length: 100 }, (_, i) => piece(i * 100, `${'x'.repeat(97)}${String(i).padStart(2, '0')}\n`)),
    )
    expect(many.text.length).toBeLessThanOrEqual(4_000)
    const lines = lastLines(many, 1_000)
    expect(lines.every((line) => line.length === 99)).toBe(true)
    expect(lastLines(many, 3).map((line) => line.slice(-2))).toEqual(['97', '98', '99'])
    expect(lastLines(grown(piece(0, 'a\nb\n\n')), 10)).toEqual(['a', 'b'])
  })

  it('is no text of the model, and goes with the end of its call or attempt', () => {
    const end = (callId: string): NewEvent => ({
      type: 'tool.ended',
      data: { callId, name: 'bash', ok: true, output: '', outputBytes: 0, exitCode: 0, durationMs: 1 },
    })
    const attemptEnd: NewEvent = { type: 'attempt.ended', data: { outcome: 'completed', reason: 'done', message: null } }
    const after = (event: NewEvent): Feed => {
      const feed = takeDelta(EMPTY_FEED, piece(0, 'printed\n'))
      return appendEvents(feed, [{ ...event, taskId: 'tsk_1', seq: 1, attempt: 1, at: '2026-11-21T10:00:00.000Z' } as TaskEvent])
    }
    expect(liveTextOf(takeDelta(EMPTY_FEED, piece(0, 'printed\n')))).toBeNull()
    expect(after(end('b')).output?.text).toBe('printed\n')
    expect(after(end('a')).output).toBeNull()
    expect(after(attemptEnd).output).toBeNull()
  })

  it('is dropped at the doorway if its call has no name', () => {
    expect(parseDelta(piece(0, 'x'))).toMatchObject({ callId: 'a' })
    expect(parseDelta({ ...piece(0, 'x'), callId: 7 })).toBeNull()
  })
})
