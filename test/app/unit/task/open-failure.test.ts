import { describe, expect, it } from '@jest/globals'
import type { Call, Item } from '../../../../app/src/task/model/feed-items.ts'
import { openFailureOf, shownFailures } from '../../../../app/src/task/model/feed-rows.ts'
import type { EventData } from '../../../../contract/api/event.ts'

function callOf(callId: string, ended: Partial<EventData<'tool.ended'>> | null): Call {
  return {
    callId,
    attempt: 1,
    name: 'bash',
    title: '',
    input: {},
    startedAt: 0,
    cancelled: false,
    ended: ended && { callId, name: 'bash', ok: true, output: '', outputBytes: 0, exitCode: 0, durationMs: 1, ...ended },
  } as Call
}
const failed = callOf('red', { exitCode: 1 })
function work(...calls: Call[]) {
  return { kind: 'work', key: 'w', turn: 1, calls } as Item
}
function item(kind: Item['kind']) {
  return { kind, key: kind, turn: 1 } as Item
}

describe('a failed call', () => {
  it('opens by itself as the last thing that the agent did', () => {
    expect(openFailureOf([item('text'), work(callOf('green', {}), failed)])).toBe('1-red')
    expect(openFailureOf([work(failed), item('blocked'), item('message'), item('end')])).toBe('1-red')
    expect(openFailureOf([work(callOf('refused', { ok: false, exitCode: null }))])).toBe('1-refused')
  })

  it('folds when the agent goes on: with a call, a text, another try or the next turn', () => {
    for (const next of [work(failed, callOf('next', null)), item('text'), work(callOf('next', null)), item('boot')])
      expect(openFailureOf([work(failed), next])).toBeNull()
  })

  it('is none that a person’s cancel or a lost runner ended', () => {
    expect(openFailureOf([work(callOf('cut', { ok: false, output: 'Cut off: what it did is not known.' }))])).toBeNull()
    expect(openFailureOf([])).toBeNull()
  })

  it('stays open while the person reads further up, and folds once they are back at the end', () => {
    const one = shownFailures(new Set(), '1-red', true)
    expect([...one]).toEqual(['1-red'])
    expect(shownFailures(one, '1-red', true)).toBe(one)
    expect(shownFailures(one, null, false)).toBe(one)
    expect([...shownFailures(one, '1-next', false)]).toEqual(['1-red', '1-next'])
    expect([...shownFailures(one, null, true)]).toEqual([])
  })
})
