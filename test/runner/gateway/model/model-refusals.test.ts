import { afterEach, describe, expect, it } from '@jest/globals'
import { MODEL } from '../door.ts'
import { BODY, type ModelDoor, openModelDoor } from './model-door.ts'
import { sendStream, streamOf } from './model-upstream.ts'

let at: ModelDoor
async function open(...args: Parameters<typeof openModelDoor>) {
  at = await openModelDoor(...args)
}
afterEach(() => at.close())

describe('a call that may not be made', () => {
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
    [
      'a PDF, whose bytes say nothing of its cost,',
      nestedInResult({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } }),
    ],
    ['a cache for an hour', { cache_control: { type: 'ephemeral', ttl: '1h' } }],
    [
      'a cache for an hour of the tools',
      { tools: [{ name: 'ok', input_schema: {}, cache_control: { type: 'ephemeral', ttl: '1h' } }] },
    ],
    [
      'a cache for an hour of a result',
      nestedInResult({ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }),
    ],
    ['more output than the model may write here', { max_tokens: 64_001 }],
  ])('refuses %s with 403, and the model API sees no call', async (_what, change) => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await at.ask({ ...BODY, ...change })
    expect(response.status).toBe(403)
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'permission_error', message: expect.any(String) },
    })
    expect(at.upstream.seen).toEqual([])
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['a list', '[]'],
    ['a key twice', `{"model":"${MODEL}","max_tokens":1,"messages":[],"mod\\u0065l":"claude-fable-5-2"}`],
    ['no max_tokens', JSON.stringify({ model: MODEL, messages: [] })],
    ['threads', JSON.stringify({ model: MODEL, max_tokens: 1, messages: [], thread: { type: 'create' } })],
  ])('answers 400 to %s', async (_what, body) => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await at.ask(body)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { type: 'invalid_request_error' } }])
    expect(at.upstream.seen).toEqual([])
  })

  it('lets through what the model once passed to a tool, whatever it looks like', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    const input = { source: { type: 'url', url: 'https://example.org' }, file_id: 'x' }
    const content = [{ type: 'tool_use', id: 't1', name: 'write', input }]
    const tools = [
      { name: 'write', input_schema: { properties: { source: { type: 'file' } } } },
      { type: 'bash_20250124', name: 'bash' },
    ]
    const response = await at.ask({
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
    expect((await fetch(`${at.door.url}${path}`, { method, headers: at.door.headers })).status).toBe(403)
    expect(at.upstream.seen).toEqual([])
  })

  it('counts what the model API refuses, free of charge, as what it refuses itself, and then answers no more', async () => {
    const limited = { type: 'error', error: { type: 'invalid_request_error', message: 'messages: no' } }
    await open((response) => response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(limited)))
    const body = { ...BODY, messages: [{ role: 'user', content: 'x'.repeat(30 * 1024 * 1024) }] }
    const statuses: number[] = []
    for (let n = 0; n < 10; n++) {
      const response = await at.ask(body)
      statuses.push(response.status)
      await response.text()
    }
    expect(statuses).toEqual([...Array(9).fill(400), 429])
    expect(at.upstream.seen).toHaveLength(9)
  })

  it('refuses one object of 190,000 keys before it reads it, wherever it is, and the model API sees nothing of it', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    const input = Object.fromEntries(Array.from({ length: 190_000 }, (_, n) => [`key${n}`, n]))
    const content = [{ type: 'tool_use', id: 't1', name: 'write', input }]
    const response = await at.ask({ ...BODY, messages: [{ role: 'assistant', content }] })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('values') } },
    ])
    expect(at.upstream.seen).toEqual([])
  })

  it('refuses a body over the limit with 413', async () => {
    await open((response) => sendStream(response, streamOf('x')))
    const response = await at.ask(Buffer.alloc(32 * 1024 * 1024 + 1, ' '))
    expect([response.status, await response.json()]).toMatchObject([413, { error: { type: 'request_too_large' } }])
  })
})

function nestedInResult(block: object) {
  return { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [block] }] }] }
}
