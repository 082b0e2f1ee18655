import { describe, expect, it } from '@jest/globals'
import { countIn, parseAcknowledged, parseDelta, parseEvent, parseTask } from '../../client/parse-socket.ts'

const EVENT = { taskId: 't', seq: 1, attempt: 0, type: 'task.created', at: '2026-11-21T10:00:00.000Z', data: {} }
const TASK = { id: 't', status: 'running', lastSeq: 0 }
const DELTA = { taskId: 't', attempt: 1, offset: 0, text: '' }
const NONE_OF_OURS = [null, undefined, 1, 'text', [], {}]

describe('what the socket brings', () => {
  it('passes as it came, with all that a newer server adds', () => {
    const newer = { ...EVENT, type: 'a.newer.type', more: 1 }
    expect([parseEvent(EVENT), parseEvent(newer), parseTask(TASK), parseDelta(DELTA)]).toEqual([EVENT, newer, TASK, DELTA])
  })

  it.each([
    [
      'an event',
      parseEvent,
      EVENT,
      [{ taskId: 1 }, { seq: 0 }, { seq: '1' }, { seq: 1.5 }, { attempt: -1 }, { type: '' }, { at: null }, { data: [] }],
    ],
    ['a task', parseTask, TASK, [{ id: '' }, { status: null }, { lastSeq: undefined }]],
    ['a delta', parseDelta, DELTA, [{ taskId: null }, { attempt: 'x' }, { offset: -1 }, { text: 5 }]],
  ])('is dropped when it is not %s', (_what, parse, whole, faults) => {
    for (const fault of faults) expect({ fault, parsed: parse({ ...whole, ...fault }) }).toEqual({ fault, parsed: null })
    for (const raw of NONE_OF_OURS) expect(parse(raw)).toBeNull()
  })

  it('is an acknowledgement, a refusal, or nothing that can be used', () => {
    const taken = parseAcknowledged({ ok: true, lastSeq: 7 })
    expect(taken).toEqual({ ok: true, value: { ok: true, lastSeq: 7 } })
    expect([countIn({ lastSeq: 7 }, 'lastSeq'), countIn({ lastSeq: '7' }, 'lastSeq'), countIn({}, 'lastSeq')]).toEqual([
      7,
      null,
      null,
    ])
    const error = { code: 'rate_limited', message: 'Later.', requestId: 'r' }
    expect(parseAcknowledged({ ok: false, error })).toEqual({ ok: false, code: 'rate_limited', message: 'Later.' })
    for (const raw of [...NONE_OF_OURS, { ok: false }, { ok: false, error: {} }, { ok: 'yes' }])
      expect(parseAcknowledged(raw)).toBeNull()
  })
})
