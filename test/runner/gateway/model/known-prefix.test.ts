import { describe, expect, it } from '@jest/globals'
import { CACHE_LIFE_MS } from '../../../../contract/shared/models.ts'
import { createKnownPrefixes } from '../../../../runner/gateway/model/known-prefix.ts'

type Block = Record<string, unknown>
const MARK = { cache_control: { type: 'ephemeral' } }

function text(value: string, more: Block = {}): Block {
  return { type: 'text', text: value, ...more }
}
function body(messages: Block[][], more: Block = {}): Block {
  const roles = ['user', 'assistant']
  return {
    model: 'm',
    system: [text('system')],
    messages: messages.map((content, index) => ({ role: roles[index % 2], content })),
    cache_control: { type: 'ephemeral' },
    ...more,
  }
}
const first = body([[text('a')]])
const second = body([[text('a', MARK)], [text('b')], [text('c')]])

/** @returns the prefixes after `first` was sent and answered with 5,000 tokens in the cache */
function known(at = 0) {
  const prefixes = createKnownPrefixes()
  prefixes.find(first, at).settle({ input_tokens: 3, cache_creation_input_tokens: 4_000, cache_read_input_tokens: 1_000 })
  return prefixes
}

describe('what the model API has in its cache', () => {
  it('is nothing before it said so', () => {
    const prefixes = createKnownPrefixes()
    expect(prefixes.find(first, 0)).toMatchObject({ cachedTokens: 0, bytes: 0 })
    expect(prefixes.find(first, 1).cachedTokens).toBe(0)
    prefixes.find(first, 2).settle({ input_tokens: 5_000 })
    expect(prefixes.find(first, 3).cachedTokens).toBe(0)
  })

  it('is what it said, up to the last mark of that call, wherever the marks are now', () => {
    const found = known().find(second, 1)
    expect(found.cachedTokens).toBe(5_000)
    expect(found.bytes).toBe(known().find(first, 1).bytes)
  })

  it.each([
    ['without a mark', { ...second, cache_control: undefined, messages: body([[text('a')], [text('b')], [text('c')]]).messages }],
    ['with another system text', { ...second, system: [text('sys tem')] }],
    ['with a tool', { ...second, tools: [{ name: 't' }] }],
    ['with a tool choice', { ...second, tool_choice: { type: 'none' } }],
    ['with other thinking', { ...second, thinking: { type: 'adaptive' } }],
    ['with another beginning', body([[text('A', MARK)], [text('b')], [text('c')]])],
    ['with the same words of another role', body([[text('x')], [text('a', MARK)], [text('c')]])],
    [
      'with a mark more than twenty blocks behind it',
      body([[text('a')], [text('b')], Array.from({ length: 20 }, () => text('c'))]),
    ],
  ])('is nothing of a call %s', (_, call) => {
    expect(known().find(call, 1).cachedTokens).toBe(0)
  })

  it('is found twenty blocks before a mark', () => {
    const far = body([[text('a')], [text('b')], Array.from({ length: 18 }, () => text('c'))])
    expect(known().find(far, 1).cachedTokens).toBe(5_000)
  })

  it('is forgotten before the API may forget it', () => {
    expect(known().find(second, CACHE_LIFE_MS - 1).cachedTokens).toBe(5_000)
    expect(known().find(second, CACHE_LIFE_MS).cachedTokens).toBe(0)
  })

  it('is not counted on any more once the API read less than it should have, twice', () => {
    const prefixes = known()
    prefixes.find(second, 1).settle({ cache_read_input_tokens: 4_999 })
    expect(prefixes.find(second, 2).cachedTokens).toBeGreaterThan(0)
    prefixes.find(second, 2).settle({ cache_read_input_tokens: 0, cache_creation_input_tokens: 6_000 })
    expect(prefixes.find(second, 3).cachedTokens).toBe(0)
  })

  it('counts images apart from their bytes', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
    const result = { type: 'tool_result', tool_use_id: 't', content: [image, text('x')] }
    const prefixes = createKnownPrefixes()
    prefixes.find(body([[result, image]]), 0).settle({ cache_creation_input_tokens: 5_000 })
    expect(prefixes.find(body([[result, { ...image, ...MARK }], [text('b')]]), 1)).toMatchObject({ images: 2, imageBytes: 8 })
  })
})
