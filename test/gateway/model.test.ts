import type { ServerResponse } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { EventData } from '../../contract/event.ts'
import type { Lease } from '../../contract/lease.ts'
import { costUsd } from '../../contract/models.ts'
import { waitFor } from '../support/wait.ts'
import { type Door, KEY, MODEL, openDoor } from './door.ts'
import { BEGIN, event, type Seen, sendStream, startUpstream, streamOf, textDelta, type Upstream } from './model-upstream.ts'

describe('the model API through the door', () => {
  let upstream: Upstream
  let door: Door

  const open = async (reply: (response: ServerResponse, seen: Seen) => unknown, lease: Partial<Lease> = {}) => {
    upstream = await startUpstream(reply)
    door = await openDoor({ modelApi: { baseUrl: upstream.url, key: KEY }, ...lease })
  }
  afterEach(async () => {
    await door.close()
    await upstream.stop()
  })

  const ask = (body: unknown, headers: Record<string, string> = {}, query = '') =>
    fetch(`${door.url}/llm/v1/messages${query}`, {
      method: 'POST',
      headers: { ...door.headers, 'content-type': 'application/json', 'anthropic-version': '2026-10-21', ...headers },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    })
  const counted = () => door.said.flatMap((said) => (said.type === 'usage.counted' ? [said.data] : []))
  const waitForCount = async (): Promise<EventData<'usage.counted'>> => {
    await waitFor('usage to be counted', () => counted().length > 0)
    return counted()[0] as EventData<'usage.counted'>
  }

  it('serves the unmodified SDK, streaming', async () => {
    await open((response) => sendStream(response, streamOf('héllo')))
    const client = new Anthropic({ apiKey: door.token, baseURL: `${door.url}/llm`, maxRetries: 0 })
    const stream = await client.messages.create({
      model: MODEL,
      max_tokens: 100,
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    })
    const types: string[] = []
    for await (const part of stream) types.push(part.type)
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    expect(upstream.seen[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2026-10-21' })
    expect(upstream.seen[0]?.headers).not.toHaveProperty('authorization')
  })

  it('serves the unmodified SDK, with an answer in one piece', async () => {
    const usage = { input_tokens: 10, output_tokens: 5 }
    await open((response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }], usage }))
    })
    const client = new Anthropic({ apiKey: door.token, baseURL: `${door.url}/llm`, maxRetries: 0 })
    const message = await client.messages.create({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] })
    expect(message.content).toEqual([{ type: 'text', text: 'hi' }])
    expect(counted()).toEqual([
      {
        inputTokens: 10,
        outputTokens: 5,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        costUsd: costUsd(MODEL, usage),
        model: MODEL,
        estimated: false,
      },
    ])
  })

  it('passes every byte of the body and of the answer on, and counts beside it', async () => {
    const parts = [...streamOf('a 🙂 b'), event('something_new', { x: [1, null] }), ': a comment\r\n\r\n', 'data: no end of line']
    await open((response) => sendStream(response, parts))
    const body = `{ "model" : "${MODEL}",\n"max_tokens":1e2, "stream":true, "messages":[ {"role":"user","content":"\\u00e9 é"} ] }`
    const response = await ask(body, {}, '?beta=true')
    expect(await response.text()).toBe(parts.join(''))
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('request-id')).toBe('req_1')
    expect(upstream.seen.map((seen) => [seen.path, seen.body.toString()])).toEqual([['/v1/messages', body]])
    const usage = { input_tokens: 1000, cache_creation_input_tokens: 200, cache_read_input_tokens: 5000, output_tokens: 50 }
    expect(counted()).toEqual([
      {
        inputTokens: 1000,
        outputTokens: 50,
        cacheReadTokens: 5000,
        cacheWriteTokens: 200,
        costUsd: costUsd(MODEL, usage),
        model: MODEL,
        estimated: false,
      },
    ])
  })

  it('passes each event on as it comes', async () => {
    let answer: ServerResponse | undefined
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      answer = response
    })
    const response = await ask(BODY)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (const part of streamOf('x')) {
      answer?.write(part)
      const { value } = await reader.read()
      expect(Buffer.from(value ?? []).toString()).toBe(part)
    }
    answer?.end()
    expect((await reader.read()).done).toBe(true)
  })

  it('counts a stream that comes byte by byte and with CRLF', async () => {
    const bytes = Buffer.from(streamOf('zwölf 🙂').join('').replaceAll('\n', '\r\n'))
    await open(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const byte of bytes) {
        response.write(Buffer.of(byte))
        await new Promise((done) => setImmediate(done))
      }
      response.end()
    })
    expect(Buffer.from(await (await ask(BODY)).arrayBuffer())).toEqual(bytes)
    expect(counted()).toMatchObject([{ inputTokens: 1000, outputTokens: 50, estimated: false }])
  })

  it('drops betas and every other header of the caller', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    await (await ask(BODY, { 'anthropic-beta': 'files-api-2025-04-14', 'x-forwarded-host': 'evil', cookie: 'a=b' })).text()
    const { headers } = upstream.seen[0] as Seen
    expect(Object.keys(headers).sort()).toEqual(
      [
        'accept-encoding',
        'anthropic-version',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'x-api-key',
      ].sort(),
    )
  })

  it.each([
    ['another model', { model: 'claude-fable-5-2' }],
    ['fallbacks', { fallbacks: [{ model: 'claude-fable-5-2' }] }],
    ['speed', { speed: 'fast' }],
    ['service_tier', { service_tier: 'priority' }],
    ['MCP servers', { mcp_servers: [{ type: 'url', url: 'https://evil.example' }] }],
    ['a container', { container: 'c1' }],
    ['web_fetch', { tools: [{ type: 'web_fetch_20250910', name: 'web_fetch' }] }],
    [
      'web_search',
      {
        tools: [
          { name: 'ok', input_schema: {} },
          { type: 'web_search_20250305', name: 'web_search' },
        ],
      },
    ],
    ['code execution', { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
    ['an MCP toolset', { tools: [{ type: 'mcp_toolset', mcp_server_name: 'x' }] }],
    [
      'an image by address',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://evil.example/?x' } }] }] },
    ],
    [
      'a stored document',
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }] },
    ],
    ['a stored file for a container', { messages: [{ role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }] }],
    [
      'an image by address within a tool result',
      nestedInResult({ type: 'image', source: { type: 'url', url: 'https://evil.example' } }),
    ],
    [
      'an image by address within a document',
      nestedInResult({
        type: 'document',
        source: { type: 'content', content: [{ type: 'image', source: { type: 'url', url: 'x' } }] },
      }),
    ],
    ['more output than the model may write here', { max_tokens: 64_001 }],
  ])('refuses %s with 403, and the model API sees no call', async (_what, change) => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await ask({ ...BODY, ...change })
    expect(response.status).toBe(403)
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'permission_error', message: expect.any(String) },
    })
    expect(upstream.seen).toEqual([])
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['a list', '[]'],
    ['a key twice', `{"model":"${MODEL}","max_tokens":1,"messages":[],"mod\\u0065l":"claude-fable-5-2"}`],
    ['no max_tokens', JSON.stringify({ model: MODEL, messages: [] })],
    ['threads', JSON.stringify({ model: MODEL, max_tokens: 1, messages: [], thread: { type: 'create' } })],
  ])('answers 400 to %s', async (_what, body) => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await ask(body)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { type: 'invalid_request_error' } }])
    expect(upstream.seen).toEqual([])
  })

  it('lets through what the model once passed to a tool, whatever it looks like', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    const input = { source: { type: 'url', url: 'https://example.org' }, file_id: 'x' }
    const content = [{ type: 'tool_use', id: 't1', name: 'write', input }]
    const tools = [
      { name: 'write', input_schema: { properties: { source: { type: 'file' } } } },
      { type: 'bash_20250124', name: 'bash' },
    ]
    const response = await ask({
      ...BODY,
      tools,
      messages: [{ role: 'assistant', content }, nestedInResult({ type: 'text', text: 'ok' }).messages[0]],
    })
    expect(response.status).toBe(200)
    await response.text()
  })

  it.each([
    ['POST', '/llm/v1/files'],
    ['POST', '/llm/v1/messages/batches'],
    ['GET', '/llm/v1/models'],
    ['GET', '/llm/v1/messages'],
    ['HEAD', '/llm/'],
    ['POST', '/llm/v1/messages/../files'],
    ['POST', '/llm//v1/messages'],
  ])('refuses %s %s', async (method, path) => {
    await open((response) => sendStream(response, streamOf('x')))
    expect((await fetch(`${door.url}${path}`, { method, headers: door.headers })).status).toBe(403)
    expect(upstream.seen).toEqual([])
  })

  it('keeps status, body and the headers that steer retries, and charges nothing', async () => {
    const sent = {
      'content-type': 'application/json',
      'retry-after': '7',
      'retry-after-ms': '7100',
      'x-should-retry': 'true',
      'request-id': 'req_9',
    }
    const body = JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    await open((response) => response.writeHead(529, { ...sent, 'anthropic-organization-id': 'org' }).end(body))
    const response = await ask(BODY)
    expect([response.status, await response.text()]).toEqual([529, body])
    expect(Object.fromEntries(response.headers)).toMatchObject(sent)
    expect(response.headers.has('anthropic-organization-id')).toBe(false)
    expect(counted()).toEqual([])
  })

  it.each([401, 403])('turns the refusal of the key (%i) into 502 that names it', async (status) => {
    await open((response) => response.writeHead(status).end('{}'))
    const response = await ask(BODY)
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false'])
    expect(await response.json()).toMatchObject({
      error: { type: 'authentication_error', message: expect.stringContaining('key') },
    })
    expect(counted()).toEqual([])
  })

  it('answers 502 when the model API is away, and follows no redirect with the key', async () => {
    await open((response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end())
    expect((await ask(BODY)).status).toBe(502)
    await upstream.stop()
    const response = await ask(BODY)
    expect([response.status, await response.json()]).toMatchObject([502, { error: { type: 'api_error' } }])
    expect(counted()).toEqual([])
    upstream = await startUpstream(() => undefined)
  })

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
    const text = await (await ask(BODY)).text()
    const message = 'The connection to the model API was lost in the middle of the answer.'
    expect(text).toBe(
      `${kept.join('')}event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'api_error', message } })}\n\n`,
    )
    expect(await waitForCount()).toMatchObject({ inputTokens: 1000, cacheReadTokens: 5000, estimated: true })
  })

  it('shows the SDK a cut as an error of the stream', async () => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`${BEGIN}event: content_block_delta\ndata: {"ty`, () => response.destroy())
    })
    const client = new Anthropic({ apiKey: door.token, baseURL: `${door.url}/llm`, maxRetries: 0 })
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
    const response = await ask(BODY)
    await expect(response.text()).rejects.toThrow()
    expect(await waitForCount()).toMatchObject({ estimated: true })
  })

  it('charges a stream that failed before its first event nothing, and passes it on', async () => {
    const overloaded = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
    await open((response) => sendStream(response, [overloaded]))
    expect(await (await ask(BODY)).text()).toBe(overloaded)
    expect(counted()).toEqual([])
  })

  it('lets go of the model API at once when the caller leaves, and charges for it', async () => {
    await open((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(BEGIN + textDelta('x'.repeat(1000)))
    })
    const caller = new AbortController()
    const response = await fetch(`${door.url}/llm/v1/messages`, {
      method: 'POST',
      headers: door.headers,
      body: JSON.stringify(BODY),
      signal: caller.signal,
    })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    caller.abort()
    await waitFor('the call upstream to be aborted', () => upstream.seen[0]?.aborted, 1000)
    expect(await waitForCount()).toMatchObject({ inputTokens: 1000, outputTokens: 100, estimated: true })
  })

  it('refuses a call that the budget does not allow with 402 that says what would fit', async () => {
    await open((response) => sendStream(response, streamOf('x')), { budgetUsd: 0.01 })
    const response = await ask({ ...BODY, max_tokens: 64_000 })
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
    expect(upstream.seen).toEqual([])
    const smaller = await ask({ ...BODY, max_tokens: 400 })
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
        const response = await ask({ ...BODY, messages: [{ role: 'user', content: 'x'.repeat(8000) }] })
        statuses.push(response.status)
        await response.text()
      }
      return statuses
    }
    const statuses = (await Promise.all(Array.from({ length: 50 }, one))).flat()
    const spent = counted().reduce((sum, usage) => sum + usage.costUsd, 0)
    expect(new Set(statuses)).toEqual(new Set([200, 402, 429]))
    expect(spent).toBeGreaterThan(0.03)
    expect(spent).toBeLessThanOrEqual(0.05)
    expect(most).toBeLessThanOrEqual(2)
  })

  it('refuses a body over the limit with 413', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await ask(Buffer.alloc(32 * 1024 * 1024 + 1, ' '))
    expect([response.status, await response.json()]).toMatchObject([413, { error: { type: 'request_too_large' } }])
  })

  it('refuses to open for a model without a price', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    await expect(openDoor({ model: 'claude-unheard-of' })).rejects.toThrow(/has no price/)
  })
})

const BODY = { model: MODEL, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'hi' }] }

function nestedInResult(block: object) {
  return { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [block] }] }] }
}
