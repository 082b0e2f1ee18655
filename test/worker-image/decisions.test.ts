import { describe, expect, it } from '@jest/globals'
import { CACHE_LIFE_MS } from '../../contract/shared/models.ts'
import { cancelled, completed, failed } from '../../contract/wire/end.ts'
import { UNCONFIRMED } from '../../contract/wire/names.ts'
import { createBudget } from '../../worker-image/agents/own/budget.ts'
import { type CallRecord, hasWaited, judgeProgress } from '../../worker-image/agents/own/stuck.ts'
import { CutError, classify, GarbledError, isUnconfirmed, StallError } from '../../worker-image/model/model-errors.ts'
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
    ['a spend limit', fault({ status: 429, errorCode: 'workspace_spend_limit_reached' }), { reason: 'model_credit_empty' }],
    ['a stream’s overload', fault({ status: undefined, type: 'overloaded_error' }), { kind: 'retry' }],
    ['a stream’s refusal', fault({ status: undefined, type: 'invalid_request_error' }), { reason: 'protocol_error' }],
    ['a broken socket', new TypeError('terminated'), { kind: 'door' }],
    ['a cut', new CutError('cut'), { kind: 'retry' }],
    ['a stall', new StallError('stall'), { kind: 'retry' }],
    ['nonsense', new GarbledError('what'), { kind: 'garbled' }],
    ['the key, as the gateway says it', fault({ status: 502, type: 'authentication_error' }), { reason: 'model_key_refused' }],
    ['the gateway’s own 403', fault({ status: 403, type: 'permission_error' }), { reason: 'model_request_invalid' }],
    ['402 of the model API', fault({ status: 402, apiMessage: 'Pay first.' }), { reason: 'model_payment_refused' }],
    [
      '402 of the gateway',
      fault({ status: 402, errorCode: 'task_budget_exceeded', details: { affordable_tokens: 0 } }),
      { kind: 'final', reason: 'budget_exceeded' },
    ],
    [
      '402 of the gateway that says what fits',
      fault({ status: 402, errorCode: 'task_budget_exceeded', details: { affordable_tokens: 700 } }),
      { kind: 'costly', maxTokens: 700 },
    ],
    [
      'usage limits',
      fault({ status: 400, apiMessage: 'You have reached your specified API usage limits.' }),
      { reason: 'model_credit_empty' },
    ],
    ['413', fault({ status: 413 }), { reason: 'context_exceeded' }],
    [
      'a moved prefix',
      fault({ status: 400, apiMessage: 'The block is bound to a different conversation.' }),
      { kind: 'refused' },
    ],
  ])('%s', (_, error, expected) => {
    expect(classify(error, 1000)).toMatchObject(expected)
  })

  it('is none while the coordinator is away, whoever says so: the gateway, or the door of a runner that was restarted', () => {
    expect(isUnconfirmed(fault({ status: 503, errorCode: 'lease_run_out' }))).toBe(true)
    expect(isUnconfirmed(fault({ status: UNCONFIRMED }))).toBe(true)
    expect(isUnconfirmed(fault({ status: 503 }))).toBe(false)
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
  it('a call that waits is no circle, however often it finds the same', () => {
    const polls = times(15, () => ({ ...step('bash {"command":"sleep 60; tail -1 b.log"}'), waited: true }))
    expect(new Set(verdicts(polls))).toEqual(new Set(['fine']))
    expect([
      hasWaited('bash {"command":"sleep 1; tail b.log"}', 1_050),
      hasWaited('bash {"command":"cat b.log"}', 6_000),
    ]).toEqual([true, true])
    expect([hasWaited('bash {"command":"sleep 0"}', 4), hasWaited('bash {"command":"cat b.log"}', 1_200)]).toEqual([false, false])
  })
  it('the same call with another result is progress', () => {
    expect(new Set(verdicts(times(20, (index) => step('a', false, String(index)))))).toEqual(new Set(['fine']))
  })
})

describe('the budget', () => {
  const MODEL = 'claude-opus-5-5'
  const prompt = { bytes: 39_000, images: 0 }

  it('keeps the money for one more call, and asks for a last message when no other fits', () => {
    const budget = createBudget(MODEL, 1)
    // 1 $ less 20,000 prompt tokens at 4 $ a million, and less 7.6 cents that are kept, is 0.844 $. Each token costs 20 $ a million, and 10 $
    // when it comes back as a part of the next prompt.
    expect(budget.plan(prompt)).toMatchObject({ maxTokens: 28_133, isLast: false })
    budget.charge({ output_tokens: 42_000 })
    expect(budget.plan(prompt)).toMatchObject({ maxTokens: 4_000, isLast: true })
    budget.charge({ output_tokens: 3_600 })
    expect(budget.plan(prompt)).toBeNull()
  })

  it('counts what the API has in its cache at what reading it costs, as long as it is there', () => {
    let now = 0
    const budget = createBudget(MODEL, 1, () => now)
    budget.plan({ bytes: 400_000, images: 0 })
    budget.charge({ input_tokens: 0, cache_creation_input_tokens: 100_000, output_tokens: 0 })
    const warm = budget.plan({ bytes: 401_000, images: 0 })
    // Half a dollar is left; in full, the prompt would be estimated at 0.8 $.
    expect(warm).toMatchObject({ isLast: false })
    now = CACHE_LIFE_MS
    expect(budget.plan({ bytes: 401_000, images: 0 })).toBeNull()
    now = 0
    // A conversation that became shorter is another one.
    expect(budget.plan({ bytes: 399_000, images: 0 })).toBeNull()
  })

  it('believes the gateway, also when a person has raised the limit', () => {
    const budget = createBudget(MODEL, 1)
    budget.correct({ limitUsd: 1, spentUsd: 0.5, heldUsd: 0.49 })
    expect(budget.plan(prompt)).toBeNull()
    budget.correct({ limitUsd: 3, spentUsd: 0.99, heldUsd: 0 })
    expect(budget.plan(prompt)).toMatchObject({ isLast: false })
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
  it('cuts the subject between characters, as people see them', () => {
    const family = '👩‍👩‍👧‍👦'
    for (const prompt of [family.repeat(40), `🚀${family.repeat(40)}`, `${'e\u0301'.repeat(80)}`]) {
      const [subject = ''] = commitMessage('', prompt, failed('time_exceeded', 'x')).split('\n')
      const shown = subject.replace('… (unfinished)', '')
      expect(shown.length).toBeGreaterThan(20)
      expect(prompt.startsWith(shown)).toBe(true)
      expect(shown.replaceAll(family, '').replaceAll('e\u0301', '').replace('🚀', '')).toBe('')
    }
  })

  it('says of unfinished work that it is', () => {
    expect(commitMessage('Let me see', 'Mend it', failed('time_exceeded', 'x'))).toBe(
      'Mend it (unfinished)\n\nThe turn ended early: time_exceeded.',
    )
  })
})
