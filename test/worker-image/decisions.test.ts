import { describe, expect, it } from '@jest/globals'
import { cancelled, completed, failed } from '../../contract/wire/end.ts'
import { createBudget } from '../../worker-image/agents/own/budget.ts'
import { type CallRecord, judgeProgress } from '../../worker-image/agents/own/stuck.ts'
import { CutError, classify, GarbledError, StallError } from '../../worker-image/model/model-errors.ts'
import { commitMessage, finalEnd } from '../../worker-image/turn/verdict.ts'

describe('a fault of a model call', () => {
  const fault = (more: object) => Object.assign(new Error('x'), more)
  it.each([
    ['429', fault({ status: 429 }), { kind: 'retry', retryAfterMs: null }],
    ['retry-after', fault({ status: 429, headers: new Headers({ 'retry-after': '7' }) }), { kind: 'retry', retryAfterMs: 7000 }],
    ['retry-after-ms', fault({ status: 529, headers: new Headers({ 'retry-after-ms': '70' }) }), { retryAfterMs: 70 }],
    [
      'a date',
      fault({ status: 503, headers: new Headers({ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }) }),
      { retryAfterMs: 9000 },
    ],
    [
      'x-should-retry',
      fault({ status: 500, headers: new Headers({ 'x-should-retry': 'false' }) }),
      { reason: 'model_unavailable' },
    ],
    ['a spend limit', fault({ status: 429, errorCode: 'workspace_spend_limit_reached' }), { reason: 'model_unavailable' }],
    ['a stream’s overload', fault({ status: undefined, type: 'overloaded_error' }), { kind: 'retry' }],
    ['a stream’s refusal', fault({ status: undefined, type: 'invalid_request_error' }), { reason: 'protocol_error' }],
    ['a broken socket', new TypeError('terminated'), { kind: 'retry' }],
    ['a cut', new CutError('cut'), { kind: 'retry' }],
    ['a stall', new StallError('stall'), { kind: 'retry' }],
    ['nonsense', new GarbledError('what'), { kind: 'garbled' }],
    ['the key, as the gateway says it', fault({ status: 502, type: 'authentication_error' }), { reason: 'model_key_refused' }],
    ['the gateway’s own 403', fault({ status: 403, type: 'permission_error' }), { reason: 'model_request_invalid' }],
    ['402', fault({ status: 402 }), { reason: 'budget_exceeded' }],
    ['413', fault({ status: 413 }), { reason: 'context_exceeded' }],
    ['a moved prefix', fault({ status: 400, apiMessage: 'The block is bound to a different conversation.' }), { kind: 'prefix' }],
  ])('%s', (_, error, expected) => {
    expect(classify(error, 1000)).toMatchObject(expected)
  })
})

describe('progress', () => {
  const step = (call: string, ok = true, result = 'r'): CallRecord => ({ call, result, ok })
  const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))
  const verdicts = (steps: CallRecord[]) => steps.map((_, index) => judgeProgress(steps.slice(0, index + 1)))

  it('a failing call: a word at the third time, the end at the fifth', () => {
    expect(verdicts(times(5, () => step('a', false)))).toEqual(['fine', 'fine', 'nudge', 'fine', 'stuck'])
  })
  it('a call that goes well: at the fourth and the sixth', () => {
    expect(verdicts(times(6, () => step('a')))).toEqual(['fine', 'fine', 'fine', 'nudge', 'fine', 'stuck'])
  })
  it('two calls in turn: the end after six rounds', () => {
    expect(verdicts(times(12, (index) => step(index % 2 ? 'a' : 'b')))).toContain('nudge')
    expect(judgeProgress(times(12, (index) => step(index % 2 ? 'a' : 'b')))).toBe('stuck')
  })
  it('the same call with another result is progress', () => {
    expect(new Set(verdicts(times(20, (index) => step('a', false, String(index)))))).toEqual(new Set(['fine']))
  })
})

describe('the budget', () => {
  it('asks for no more than fits, and for nothing when a useful answer does not', () => {
    const budget = createBudget('claude-opus-5-5', 1)
    // 1 $ less 20,000 prompt tokens at 4 $ a million is 0.92 $: 46,000 tokens at 20 $ a million, less the margin.
    expect(budget.maxTokens({ bytes: 40_000, images: 0 })).toBe(45_980)
    budget.charge({ output_tokens: 45_000 })
    expect(budget.maxTokens({ bytes: 40_000, images: 0 })).toBeNull()
    expect(budget.usedPart()).toBeCloseTo(0.9)
  })
})

describe('the end of a turn', () => {
  const fine = { diff: null, changed: true, problem: null, unfinished: null, note: null }
  const refused = { ...fine, problem: failed('push_refused', 'protected') }
  it('is the model’s own when the work came out', () => {
    expect(finalEnd(completed('done'), fine)).toMatchObject({ reason: 'done' })
    expect(finalEnd(completed('done'), { ...fine, changed: false })).toMatchObject({ reason: 'no_changes' })
    expect(finalEnd(failed('stuck', 'again'), fine)).toMatchObject({ reason: 'stuck' })
  })
  it('promises no branch that is not there, and leaves a cancel a cancel', () => {
    expect(finalEnd(failed('budget_exceeded', 'spent'), refused)).toMatchObject({
      reason: 'push_refused',
      message: 'protected spent',
    })
    expect(finalEnd(cancelled(), refused)).toMatchObject({ outcome: 'cancelled', message: 'protected' })
  })
})

describe('the commit message', () => {
  it('takes the summary’s first line as its subject', () => {
    expect(commitMessage('## Fix the thing\n\nIt was broken.', 'do', completed('done'))).toBe('Fix the thing\n\nIt was broken.')
  })
  it('cuts a long subject at a word, and keeps the whole line', () => {
    const line = 'word '.repeat(30).trim()
    const [subject = '', , body] = commitMessage(line, 'do', completed('done')).split('\n')
    expect(subject.length).toBeLessThanOrEqual(72)
    expect(subject).toMatch(/word…$/)
    expect(body).toBe(line)
  })
  it('says of unfinished work that it is', () => {
    expect(commitMessage('Let me see', 'Mend it', failed('time_exceeded', 'x'))).toBe(
      'Mend it (unfinished)\n\nThe turn ended early: time_exceeded.',
    )
  })
})
