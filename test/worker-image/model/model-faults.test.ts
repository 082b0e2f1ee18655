import { afterEach, describe, expect, it } from '@jest/globals'
import { textOfReason } from '../../../contract/api/reason-texts.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import type { Reply, StreamFault } from '../../support/outside/model-wire.ts'
import { type Errand, type ErrandOptions, endOf, eventsOf, startErrand } from '../errand.ts'
import { answer, bash, call, faulty, first, inTurn, mends, SUMMARY, text } from '../policies.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

const overloaded: Reply = { status: 529, type: 'overloaded_error', message: 'Overloaded' }
const writes = call('write', { file_path: 'new.txt', content: 'whole\n' })
const endsWell = { outcome: 'completed', reason: 'done' }

describe('a fault that passes', () => {
  const streamFaults: Array<[string, StreamFault]> = [
    ['an overloaded error as the first event', { errorAt: { event: 0, type: 'overloaded_error' } }],
    ['an overloaded error after some text', { errorAt: { event: 9, type: 'overloaded_error' } }],
    ['a socket cut in the middle of a call', { cutAt: 13 }],
    ['a clean end without message_stop', { eofAt: 13 }],
    ['a clean end before the first event', { eofAt: 0 }],
    ['a stall in the middle', { stallAt: 10 }],
    ['an answer that begins twice', { twice: true }],
  ]
  it.each(streamFaults)('%s: the turn is dropped and asked for again', async (_, fault) => {
    const { run, model } = await start({
      policy: first([faulty(fault, text('I write a file.'), writes)], inTurn(answer(writes), answer(text('New file')))),
    })
    const lines = await run()
    expect(endOf(lines)).toMatchObject({ ...endsWell, diff: { files: 1, insertions: 1, deletions: 0 } })
    // Nothing of the broken turn is said or sent back, and its call was never run.
    expect(eventsOf(lines, 'text.written')).toEqual([{ text: 'New file' }])
    expect(eventsOf(lines, 'tool.started')).toHaveLength(1)
    expect(model.requests.map(({ body }) => body.messages.length)).toEqual([1, 1, 3])
    expect(model.refusals).toEqual([])
  })

  const statuses: Array<[string, Reply]> = [
    ['429', { status: 429, type: 'rate_limit_error', message: 'slow down' }],
    ['529', overloaded],
    ['500', { status: 500, type: 'api_error', message: 'oops' }],
    ['408', { status: 408, type: 'timeout_error', message: 'late' }],
    ['a reset before the headers', { silent: 'reset' }],
    ['200 with HTML', { raw: '<html>a proxy says hello</html>' }],
    ['data that is no JSON', { raw: 'event: message_start\ndata: {"type":\n\n', contentType: 'text/event-stream' }],
  ]
  it.each(statuses)('%s: asked for again', async (_, reply) => {
    const { run, model } = await start({ policy: first([reply, reply], mends) })
    expect(endOf(await run())).toMatchObject({ ...endsWell, summary: SUMMARY })
    expect(model.refusals).toEqual([])
  })

  it('retry-after is waited for', async () => {
    const limited: Reply = { status: 429, type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after': '1' } }
    const times: number[] = []
    const replies = inTurn(limited, answer(text('Nothing to do.')))
    const { run } = await start({
      policy: (request) => {
        times.push(performance.now())
        return replies(request)
      },
    })
    await run()
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeLessThan(3000)
  })

  it('text comes whole through three bytes at a time, with CRLF and events that nobody knows', async () => {
    const words = 'Grüße 👋🏽 — 完了'
    const { run } = await start({ policy: () => faulty({ dripBytes: 3, crlf: true, unknown: true }, text(words)) })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', summary: words })
  })

  it('pings alone keep a slow answer alive', async () => {
    const { run, cancel, lines, log } = await start({
      policy: () => faulty({ stallAt: 8, pingMs: 50 }, text('I think about it.')),
    })
    const ended = run()
    await waitFor('a delta', () => lines.some(({ type }) => type === 'delta'))
    const seen = performance.now()
    await waitFor('three times the silence that is allowed', () => performance.now() - seen > 1500)
    cancel()
    await ended
    expect(log.join('')).not.toContain('model.failed')
  })
})

describe('a fault that stays', () => {
  const answers: Array<[string, Reply, string]> = [
    ['HTML three times', { raw: '<html></html>' }, 'protocol_error'],
    [
      'a prompt that is too long',
      { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 1000001 tokens' },
      'context_exceeded',
    ],
    ['413', { status: 413, type: 'request_too_large', message: 'too large' }, 'context_exceeded'],
    ['another 400', { status: 400, type: 'invalid_request_error', message: 'tools.0: no' }, 'model_request_invalid'],
    ['an unknown model', { status: 404, type: 'not_found_error', message: 'model: none' }, 'model_not_found'],
    ['a refusal', { content: [text('I cannot.')], stopReason: 'refusal', stopDetails: { category: 'cyber' } }, 'model_refused'],
    ['a full context window', { content: [text('So')], stopReason: 'model_context_window_exceeded' }, 'context_exceeded'],
    ['an unknown stop reason', { content: [text('So')], stopReason: 'tired' }, 'protocol_error'],
    ['no stop reason', { content: [text('So')], stopReason: null }, 'protocol_error'],
  ]
  it.each(answers)('%s: the turn fails, and the work so far is on the branch', async (_, reply, reason) => {
    const { run, origin, assignment } = await start({ policy: inTurn(answer(writes), reply) })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason, diff: { files: 1 } })
    expect(await refsOf(origin)).toHaveProperty(`refs/heads/${assignment.branch}`)
  })

  const accounts: Array<[string, Reply, string]> = [
    [
      'a payment',
      { status: 402, type: 'billing_error', message: 'There is an issue with your payment.' },
      'model_payment_refused',
    ],
    [
      'an empty account',
      { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
      'model_credit_empty',
    ],
    ['an unknown model', { status: 404, type: 'not_found_error', message: 'model: claude-opus-5-5' }, 'model_not_found'],
    [
      'a refused key',
      { status: 403, type: 'permission_error', message: 'Your organization has been disabled.\u0007' },
      'model_key_refused',
    ],
    ['an unknown key', { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }, 'model_key_refused'],
  ]
  it.each(accounts)(
    '%s is a reason of its own, with the words of the API, and no fault of the task',
    async (_, reply, reason) => {
      const { run, door } = await start({ policy: () => reply })
      const end = endOf(await run())
      expect(end).toMatchObject({ outcome: 'failed', reason })
      const words = (reply as { message: string }).message.replace('\u0007', '')
      expect(end.message).toContain(words)
      expect(`${end.message} ${textOfReason(end.reason)}`).not.toMatch(/\bbudget\b|\blog\b|[{}<>]|\p{Cc}/u)
      // It costs nothing.
      expect(door.said.filter(({ type }) => type === 'usage.counted')).toEqual([])
    },
  )

  it('a refusal that is not in the API’s form is not shown', async () => {
    const { run } = await start({
      policy: () => ({ status: 402, type: 'billing_error', message: '<html><body>Payment Required</body></html>' }),
    })
    expect(endOf(await run())).toMatchObject({ reason: 'model_payment_refused', message: 'The model API gave no reason.' })
  })

  it('a key that the API refuses is told apart from an API that is down', async () => {
    const { run, model } = await start({ policy: mends, modelKey: 'sk-ant-wrong' })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'model_key_refused' })
    expect(model.refusals).toHaveLength(1)
  })

  it('a call that the gateway’s budget refuses ends the turn', async () => {
    const { run } = await start({ policy: mends, gatewayBudgetUsd: 0.01 })
    expect(endOf(await run())).toMatchObject({
      outcome: 'failed',
      reason: 'budget_exceeded',
      message: expect.stringContaining('budget'),
    })
  })
})

describe('an answer that is not as it should be', () => {
  const broken: Array<[string, Reply, RegExp]> = [
    [
      'tool input that is no JSON',
      answer({ type: 'tool_use', name: 'write', json: '{"file_path": "new.txt", "content": ]' }),
      /not valid JSON/,
    ],
    [
      'tool input that ends early',
      answer({ type: 'tool_use', name: 'write', json: '{"file_path": "new.txt"' }),
      /not valid JSON/,
    ],
    [
      'max_tokens in a call',
      {
        content: [{ type: 'tool_use', name: 'write', json: '{"file_path": "new.txt", "conte', unclosed: true }],
        stopReason: 'max_tokens',
      },
      /cut at \d+ tokens.*smaller/,
    ],
    [
      'a call that was never closed, though its JSON is whole',
      { content: [{ type: 'tool_use', name: 'write', input: { file_path: 'new.txt', content: '' }, unclosed: true }] },
      /cut off/,
    ],
  ]
  it.each(broken)('%s: it is not run, and the model is told', async (_, reply, words) => {
    const { run, model } = await start({ policy: inTurn(reply, answer(text('I leave it.'))) })
    const lines = await run()
    expect(endOf(lines).reason).toBe('no_changes')
    expect(eventsOf(lines, 'tool.ended')).toMatchObject([{ ok: false, output: expect.stringMatching(words) }])
    expect(model.requests[1]?.results).toMatchObject([{ isError: true, text: expect.stringMatching(words) }])
    // The strict server would have refused a changed or missing block.
    expect(model.refusals).toEqual([])
  })

  it('a whole call beside a cut one is run', async () => {
    const cut: Reply = {
      content: [writes, { type: 'tool_use', name: 'bash', json: '{"comm', unclosed: true }],
      stopReason: 'max_tokens',
    }
    const { run, model } = await start({ policy: inTurn(cut, answer(text('New file'))) })
    expect(endOf(await run())).toMatchObject({ ...endsWell, diff: { files: 1 } })
    expect(model.requests[1]?.results.map(({ isError }) => isError)).toEqual([false, true])
  })

  const halting: Array<[string, Reply, RegExp]> = [
    ['nothing at all', answer(), /answer was empty/],
    ['tool_use without a call', { content: [text('Now I call.')], stopReason: 'tool_use' }, /contained none/],
    ['text cut by max_tokens', { content: [text('The plan is')], stopReason: 'max_tokens' }, /cut at its limit/],
  ]
  it.each(halting)('%s: the model is told to go on, three times at most', async (_, reply, words) => {
    const { run, model } = await start({ policy: () => reply })
    expect(endOf(await run())).toMatchObject({ outcome: 'failed', reason: 'stuck' })
    expect(model.requests.map(({ said }) => words.test(said))).toEqual([false, true, true, true])
    expect(model.refusals).toEqual([])
  })

  it('a prefix that the API holds for changed is sent again without its thinking, once', async () => {
    const bound: Reply = {
      status: 400,
      type: 'invalid_request_error',
      message: 'messages.1: The block is bound to a different conversation.',
    }
    const { run, model } = await start({ policy: inTurn(answer(bash('true')), bound, answer(text('Nothing to do.'))) })
    expect(endOf(await run()).reason).toBe('no_changes')
    const types = (index: number) => model.requests[index]?.body.messages[1]?.content.map(({ type }) => type)
    expect([types(1), types(2)]).toEqual([['thinking', 'tool_use'], ['tool_use']])
  })
})
