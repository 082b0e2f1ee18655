import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type DemoServer, startDemoServer } from './demo-server.ts'

const TASK = {
  model: 'claude-opus-5-5',
  max_tokens: 4000,
  messages: [{ role: 'user' as const, content: 'Fix the failing test.' }],
}

describe('the demo model on the wire', () => {
  let server: DemoServer
  let client: Anthropic

  const clientWith = (apiKey: string) => new Anthropic({ apiKey, baseURL: `${server.origin}/demo/model`, maxRetries: 0 })

  beforeAll(async () => {
    server = await startDemoServer()
    client = clientWith(server.demo.modelKey)
  })
  afterAll(() => server.stop())

  it('streams a message that the official client understands, and the same one without streaming', async () => {
    const streamed = await client.messages.stream(TASK).finalMessage()
    const whole = await client.messages.create(TASK)
    for (const message of [streamed, whole]) {
      expect(message.model).toBe(TASK.model)
      expect(message.stop_reason).toBe('tool_use')
      expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text', 'tool_use'])
      expect(message.content[0]).toMatchObject({ signature: expect.stringMatching(/.{20}/) })
      expect(message.content[2]).toMatchObject({ name: 'bash', input: { command: expect.stringContaining('pwd') } })
      expect(message.usage.output_tokens).toBeGreaterThan(20)
    }
    expect(streamed.content[1]).toEqual(whole.content[1])
  })

  it('writes text in pieces, signs its thinking last, and ends with the stop reason', async () => {
    const types: string[] = []
    const texts: string[] = []
    for await (const event of await client.messages.create({ ...TASK, stream: true })) {
      types.push(event.type === 'content_block_delta' ? event.delta.type : event.type)
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') texts.push(event.delta.text)
    }
    expect(texts.length).toBeGreaterThan(10)
    expect(texts.join('')).toMatch(/^I'm Errand's built-in demo model.*first\.$/)
    expect(types[types.indexOf('signature_delta') + 1]).toBe('content_block_stop')
    expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
  })

  it('counts a growing conversation as read from the cache', async () => {
    const first = await client.messages.create(TASK)
    const id = first.content.find((block) => block.type === 'tool_use')?.id ?? ''
    const result = { type: 'tool_result' as const, tool_use_id: id, content: '/workspace/repository\npackage.json\n' }
    const grown = [
      { role: 'user' as const, content: `Fix the failing test. ${'x'.repeat(4000)}` },
      { role: 'assistant' as const, content: first.content },
      { role: 'user' as const, content: [result] },
    ]
    const { usage } = await client.messages.create({ ...TASK, messages: grown })
    expect(usage.cache_read_input_tokens).toBeGreaterThan(1000)
    expect((await client.messages.countTokens({ model: TASK.model, messages: grown })).input_tokens).toBeGreaterThan(1000)
  })

  it('refuses a wrong key, a broken body and a missing version, each with the error of the real API', async () => {
    await expect(clientWith('wrong').messages.create(TASK)).rejects.toBeInstanceOf(Anthropic.AuthenticationError)
    await expect(client.messages.create({ ...TASK, messages: [] })).rejects.toBeInstanceOf(Anthropic.BadRequestError)
    const bare = (headers: Record<string, string>, path = '/v1/messages') =>
      fetch(`${server.origin}/demo/model${path}`, { method: 'POST', headers, body: JSON.stringify(TASK) })
    const unversioned = await bare({ 'x-api-key': server.demo.modelKey })
    expect(unversioned.status).toBe(400)
    expect(await unversioned.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    expect((await bare({ 'x-api-key': server.demo.modelKey }, '/v1/complete')).status).toBe(404)
  })
})
