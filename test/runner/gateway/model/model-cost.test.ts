import { afterEach, describe, expect, it } from '@jest/globals'
import { waitFor } from '../../../support/checks/wait.ts'
import { MODEL } from '../door.ts'
import { BODY, type ModelDoor, openModelDoor } from './model-door.ts'
import { BEGIN, event, sendStream, streamOf, textDelta } from './model-upstream.ts'

let at: ModelDoor
async function open(...args: Parameters<typeof openModelDoor>) {
  at = await openModelDoor(...args)
}
afterEach(() => at.close())

describe('what a call costs', () => {
  it.each([
    ['between two events', [BEGIN, textDelta('four')], [BEGIN, textDelta('four')]],
    [
      'in the middle of a line',
      [BEGIN, 'event: content_block_delta\ndata: {"type":"con'],
      [BEGIN, 'event: content_block_delta\n'],
    ],
    ['behind the data of an event', [BEGIN, textDelta('four').slice(0, -1)], [BEGIN, textDelta('four').slice(0, -1), '\n']],
  ])('ends a stream that is cut %s with an error event, and charges what was read and written', async (_where, sent, kept) => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sent.join(''), () => response.destroy())
    })
    const text = await (await at.ask(BODY)).text()
    const message = 'The connection to the model API was lost in the middle of the answer.'
    expect(text).toBe(
      `${kept.join('')}event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'api_error', message } })}\n\n`,
    )
    expect(await at.waitForCount()).toMatchObject({ inputTokens: 1000, cacheReadTokens: 5000, estimated: true })
  })

  it('shows the SDK a cut as an error of the stream', async () => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`${BEGIN}event: content_block_delta\ndata: {"ty`, () => response.destroy())
    })
    const client = at.client()
    const stream = await client.messages.create({
      model: MODEL,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    })
    const read = async () => {
      for await (const _part of stream);
    }
    await expect(read()).rejects.toMatchObject({ type: 'api_error' })
  })

  it('breaks the connection when an answer in one piece is cut', async () => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"type":"message",', () => response.destroy())
    })
    const response = await at.ask(BODY)
    await expect(response.text()).rejects.toThrow()
    expect(await at.waitForCount()).toMatchObject({ estimated: true })
  })

  it('charges a stream that failed before its first event nothing, and passes it on', async () => {
    const overloaded = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
    await open((response) => sendStream(response, [overloaded]))
    expect(await (await at.ask(BODY)).text()).toBe(overloaded)
    expect(at.counted()).toEqual([])
  })

  it('lets go of the model API at once when the caller leaves, and charges for it', async () => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(BEGIN + textDelta('x'.repeat(1000)))
    })
    const caller = new AbortController()
    const response = await fetch(`${at.door.url}/llm/v1/messages`, {
      method: 'POST',
      headers: at.door.headers,
      body: JSON.stringify(BODY),
      signal: caller.signal,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    caller.abort()
    await waitFor('the call upstream to be aborted', () => at.upstream.seen[0]?.aborted, 1000)
    expect(await at.waitForCount()).toMatchObject({ inputTokens: 1000, outputTokens: 100, estimated: true })
  })

  it('charges an answer of which 27,000 characters were read about what they cost, and marks it as an estimate', async () => {
    const text = 'The person reads this. '.repeat(1_174)
    const start = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(BEGIN + start + textDelta(text))
    })
    const caller = new AbortController()
    const body = JSON.stringify({ ...BODY, max_tokens: 64_000 })
    const { url, headers } = at.door
    const response = await fetch(`${url}/llm/v1/messages`, { method: 'POST', headers, body, signal: caller.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (let read = 0; read < text.length; ) read += (await reader.read()).value?.length ?? 0
    caller.abort()
    const counted = await at.waitForCount()
    expect(counted).toMatchObject({ inputTokens: 1000, cacheReadTokens: 5000, cacheWriteTokens: 200, estimated: true })
    // English has 3 to 4 characters a token.
    expect(counted.outputTokens).toBeGreaterThan(text.length / 4)
    expect(counted.outputTokens).toBeLessThan(text.length / 2.5)
  })

  it('charges the prompt as it was held, and what the model may have written, when the caller leaves before the answer', async () => {
    await open(() => undefined)
    const caller = new AbortController()
    const { door } = at
    const body = JSON.stringify({ ...BODY, stream: false, max_tokens: 64_000 })
    const startedAt = performance.now()
    const answer = fetch(`${door.url}/llm/v1/messages`, { method: 'POST', headers: door.headers, body, signal: caller.signal })
    await waitFor('the call to be upstream', () => at.upstream.seen.length > 0)
    await waitFor('a second to pass', () => performance.now() - startedAt > 1000)
    caller.abort()
    await expect(answer).rejects.toThrow()
    const counted = await at.waitForCount()
    expect(counted).toMatchObject({ inputTokens: Math.ceil(body.length / 2), estimated: true })
    expect(counted.outputTokens).toBeGreaterThan(50)
  })

  it('charges the prompt as it was held when the connection is lost before the answer, and nothing when there was none', async () => {
    await open((response) => response.destroy())
    const body = JSON.stringify({ ...BODY, stream: false })
    expect((await at.ask(body)).status).toBe(502)
    expect(await at.waitForCount()).toMatchObject({ inputTokens: Math.ceil(body.length / 2), estimated: true })
    await at.upstream.stop()
    expect([(await at.ask(body)).status, at.counted().length]).toEqual([502, 1])
  })

  const wrongUsages: Array<[string, object | undefined, object | undefined]> = [
    ['no usage at all', undefined, undefined],
    ['an empty usage', {}, {}],
    ['a usage without its end', { input_tokens: 9, output_tokens: 1 }, undefined],
    ['negative input', { input_tokens: -5_000_000, output_tokens: 1 }, { output_tokens: 5 }],
    ['a negative cache', { input_tokens: 9, cache_read_input_tokens: -1e9, output_tokens: 1 }, { output_tokens: 5 }],
    ['negative output at its end', { input_tokens: 9, output_tokens: 1 }, { output_tokens: -1_000_000 }],
    ['halves of tokens', { input_tokens: 0.5, output_tokens: 1 }, { output_tokens: 5 }],
    ['more than any call can have', { input_tokens: 1e15, output_tokens: 1 }, { output_tokens: 5 }],
    ['words', { input_tokens: 'few', output_tokens: 1 }, { output_tokens: 5 }],
  ]
  it.each(wrongUsages)('charges an answer with %s what was held, and says that it is an estimate', async (_, begin, end) => {
    await open((response) =>
      sendStream(response, [
        event('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage: begin } }),
        event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: end }),
        event('message_stop'),
      ]),
    )
    await (await at.ask({ ...BODY, max_tokens: 1_000 })).text()
    const { costUsd, outputTokens, estimated } = await at.waitForCount()
    expect([outputTokens, estimated]).toEqual([1_000, true])
    expect(costUsd).toBeGreaterThanOrEqual(0.02)
  })

  it('holds what the model API has in its cache at what reading it costs, also for two calls at once, and never passes the limit', async () => {
    const long = 'word '.repeat(40_000)
    const ask = (more: object[] = []) =>
      at.ask({
        ...BODY,
        max_tokens: 1_000,
        cache_control: { type: 'ephemeral' },
        messages: [{ role: 'user', content: [{ type: 'text', text: long }] }, ...more],
      })
    let calls = 0
    await open(
      (response) => {
        const [read, written] = calls++ === 0 ? [0, 50_000] : [50_000, 20]
        const usage = { input_tokens: 3, cache_creation_input_tokens: written, cache_read_input_tokens: read, output_tokens: 1 }
        sendStream(response, [event('message_start', { message: { usage } }), ...streamOf('x', 1_000).slice(1)])
      },
      // In full, the prompt is held at 40 cents.
      { budgetUsd: 0.45 },
    )
    expect((await ask()).status).toBe(200)
    await at.waitForCount()
    const more = [
      { role: 'assistant', content: 'ok' },
      { role: 'user', content: 'and now' },
    ]
    const statuses: number[] = []
    for (let n = 0; n < 6; n++) {
      const answers = await Promise.all([ask(more), ask(more)])
      for (const answer of answers) {
        statuses.push(answer.status)
        await answer.text()
      }
    }
    const spent = at.counted().reduce((sum, { costUsd }) => sum + costUsd, 0)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4)
    expect(statuses).toContain(402)
    expect(spent).toBeLessThanOrEqual(0.45)
  })

  it('tells the agent what the attempt has spent, and a limit that rises while it runs', async () => {
    let limitUsd = 0.01
    await open((response) => sendStream(response, streamOf('x', 100)), {}, { limitUsd: () => limitUsd })
    const money = async () => (await fetch(`${at.door.url}/money`, { headers: at.door.headers })).json()
    expect(await money()).toEqual({ limitUsd: 0.01, spentUsd: 0, heldUsd: 0 })
    await (await at.ask(BODY)).text()
    const { costUsd } = await at.waitForCount()
    expect(await money()).toEqual({ limitUsd: 0.01, spentUsd: costUsd, heldUsd: 0 })
    expect((await at.ask({ ...BODY, max_tokens: 4_000 })).status).toBe(402)
    limitUsd = 1
    expect((await at.ask({ ...BODY, max_tokens: 4_000 })).status).toBe(200)
  })

  it('refuses a call that the budget does not allow with 402 that says what would fit', async () => {
    await open((response) => sendStream(response, streamOf('x')), { budgetUsd: 0.01 })
    const response = await at.ask({ ...BODY, max_tokens: 64_000 })
    expect([response.status, await response.json()]).toMatchObject([
      402,
      {
        error: {
          type: 'billing_error',
          message: expect.stringMatching(/max_tokens of \d+ or less/),
          details: { error_code: 'task_budget_exceeded' },
        },
      },
    ])
    expect(at.upstream.seen).toEqual([])
    const smaller = await at.ask({ ...BODY, max_tokens: 400 })
    expect(smaller.status).toBe(200)
    await smaller.text()
  })

  it('never spends more than the budget, with 50 calls at once, and answers at most two together', async () => {
    let together = 0
    let most = 0
    await open(
      async (response) => {
        together += 1
        most = Math.max(most, together)
        await new Promise((done) => setImmediate(done))
        sendStream(response, streamOf('x', 100))
        together -= 1
      },
      { budgetUsd: 0.05 },
    )
    const one = async () => {
      const statuses: number[] = []
      for (let n = 0; n < 5; n++) {
        const response = await at.ask({ ...BODY, messages: [{ role: 'user', content: 'x'.repeat(8000) }] })
        statuses.push(response.status)
        await response.text()
      }
      return statuses
    }
    const statuses = (await Promise.all(Array.from({ length: 50 }, one))).flat()
    const spent = at.counted().reduce((sum, usage) => sum + usage.costUsd, 0)
    expect(new Set(statuses)).toEqual(new Set([200, 402, 429]))
    expect(spent).toBeGreaterThan(0.03)
    expect(spent).toBeLessThanOrEqual(0.05)
    expect(most).toBeLessThanOrEqual(2)
  })
})
