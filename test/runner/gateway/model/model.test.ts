import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { costUsd } from '../../../../contract/shared/models.ts'
import { headed } from '../../../../contract/wire/prompt.ts'
import { KEY, MODEL } from '../door.ts'
import { BODY, type ModelDoor, openModelDoor } from './model-door.ts'
import { event, type Seen, sendStream, streamOf } from './model-upstream.ts'

let at: ModelDoor
async function open(...args: Parameters<typeof openModelDoor>) {
  at = await openModelDoor(...args)
}
afterEach(() => at.close())

describe('the model API through the door', () => {
  it('serves the unmodified SDK, streaming', async () => {
    await open((response) => sendStream(response, streamOf('héllo')))
    const client = at.client()
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
    expect(at.upstream.seen[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2026-10-21' })
    expect(at.upstream.seen[0]?.headers).not.toHaveProperty('authorization')
  })

  it('serves the unmodified SDK, with an answer in one piece', async () => {
    const usage = { input_tokens: 10, output_tokens: 5 }
    await open((response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }], usage }))
    })
    const client = at.client()
    const message = await client.messages.create({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] })
    expect(message.content).toEqual([{ type: 'text', text: 'hi' }])
    expect(at.counted()).toEqual([
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
    const response = await at.ask(body, {}, '?beta=true')
    expect(await response.text()).toBe(parts.join(''))
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('request-id')).toBe('req_1')
    expect(at.upstream.seen.map((seen) => [seen.path, seen.body.toString()])).toEqual([['/v1/messages', body]])
    const usage = { input_tokens: 1000, cache_creation_input_tokens: 200, cache_read_input_tokens: 5000, output_tokens: 50 }
    expect(at.counted()).toEqual([
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
    const response = await at.ask(BODY)
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
    expect(Buffer.from(await (await at.ask(BODY)).arrayBuffer())).toEqual(bytes)
    expect(at.counted()).toMatchObject([{ inputTokens: 1000, outputTokens: 50, estimated: false }])
  })

  it('drops betas and every other header of the caller', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    await (await at.ask(BODY, { 'anthropic-beta': 'files-api-2025-04-14', 'x-forwarded-host': 'evil', cookie: 'a=b' })).text()
    const { headers } = at.upstream.seen[0] as Seen
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
    const response = await at.ask(BODY)
    expect([response.status, await response.text()]).toEqual([529, body])
    expect(Object.fromEntries(response.headers)).toMatchObject(sent)
    expect(response.headers.has('anthropic-organization-id')).toBe(false)
    expect(at.counted()).toEqual([])
  })

  it.each([401, 403])('turns the refusal of the key (%i) into 502 that names it', async (status) => {
    await open((response) => response.writeHead(status).end('{}'))
    const response = await at.ask(BODY)
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false'])
    expect(await response.json()).toMatchObject({
      error: { type: 'authentication_error', message: expect.stringContaining('key') },
    })
    expect(at.counted()).toEqual([])
  })

  it('answers 502 when the model API is away, and follows no redirect with the key', async () => {
    await open((response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end())
    expect((await at.ask(BODY)).status).toBe(502)
    await at.upstream.stop()
    const response = await at.ask(BODY)
    expect([response.status, await response.json()]).toMatchObject([502, { error: { type: 'api_error' } }])
    expect(at.counted()).toEqual([])
  })
})

describe('the words of the person in a call', () => {
  const steer = (text: string) => ({ type: 'text', text: headed('steer', text) })
  const result = (text: string) => ({
    type: 'tool_result',
    tool_use_id: 'c',
    content: [{ type: 'text', text: headed('steer', text) }],
  })

  it('are told when the model API took it, and not what a tool printed or the model wrote', async () => {
    const took: unknown[] = []
    let status = 529
    await open(
      (response) => {
        if (status === 200) return sendStream(response, streamOf('x'))
        return response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
      },
      {},
      { modelTook: (said) => took.push(said) },
    )
    const messages = [
      { role: 'user', content: headed('task', 'mend it') },
      { role: 'assistant', content: [steer('by the model')] },
      { role: 'user', content: [result('by a tool'), steer('go on'), { type: 'text', text: 'Errand: a notice' }] },
    ]
    await (await at.ask({ ...BODY, messages })).text()
    await (await at.ask({ ...BODY, messages, speed: 'fast' })).text()
    expect(took).toEqual([])
    status = 200
    await (await at.ask({ ...BODY, messages })).text()
    expect(took).toEqual([
      [
        { heading: 'task', text: 'mend it' },
        { heading: 'steer', text: 'go on' },
      ],
    ])
  })
})
