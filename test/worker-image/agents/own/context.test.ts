import { describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../../contract/api/limits.ts'
import { MODELS } from '../../../../contract/shared/models.ts'
import { failed } from '../../../../contract/wire/end.ts'
import { createContext } from '../../../../worker-image/agents/own/context.ts'
import { contextLimits, createContextGauge, type RequestSize } from '../../../../worker-image/conversation/context-size.ts'
import type { AskResult } from '../../../../worker-image/model/ask-model.ts'
import type { Answer } from '../../../../worker-image/model/model-answer.ts'

const SMALL = 'claude-haiku-5-5'
const LARGE = 'claude-opus-5-5'

function answerOf(tokens: number, change: Partial<Answer> = {}): Answer {
  const usage = { input_tokens: tokens }
  return { content: [], text: 'A summary.', calls: [], stopReason: 'end_turn', stopDetails: null, usage, ...change }
}

/** A context around a conversation that has a size and nothing else, and shrinks to 20,000 bytes when it begins anew. */
function around(model: string, reply: AskResult = { ok: true, answer: answerOf(1) }) {
  const size: RequestSize = { bytes: 1000, images: 0, imageBytes: 0 }
  const heard: string[] = []
  const fake = { size, heard, afterBytes: 20_000 }
  const context = createContext({
    model,
    conversation: {
      size: () => ({ ...size }),
      messages: () => [],
      addUser: async ({ notices = [] }: { notices?: readonly string[] }) => void heard.push(...notices.map(() => 'warned')),
      beginAnew: async ({ summary }: { summary: string | null }) => {
        heard.push(`fresh: ${summary}`)
        Object.assign(size, { bytes: fake.afterBytes, images: 0, imageBytes: 0 })
      },
    } as never,
    voice: { emit: () => {} } as never,
    log: () => {},
    askAside: async () => {
      heard.push('asked')
      return reply
    },
    branchState: async () => '',
    plan: () => [],
    onFresh: () => heard.push('told'),
  })
  return Object.assign(fake, { context })
}

describe('the limits of a conversation', () => {
  it('are three quarters of a small window and the bound of cost of a large one, with room for what one answer brings', () => {
    expect(contextLimits(SMALL)).toEqual({ warnAt: 127_500, compactAt: 150_000, fullAt: 180_000 })
    expect(contextLimits(LARGE)).toEqual({ warnAt: 212_500, compactAt: 250_000, fullAt: 900_000 })
    for (const [model, { contextTokens }] of Object.entries(MODELS)) {
      const { warnAt, compactAt, fullAt } = contextLimits(model)
      expect([warnAt, compactAt, fullAt, contextTokens]).toEqual([warnAt, compactAt, fullAt, contextTokens].sort((a, b) => a - b))
    }
  })

  it('are held against what the API counted, and the bytes and images that came since', () => {
    const gauge = createContextGauge(SMALL)
    expect(gauge.tokens({ bytes: 40_000, images: 2, imageBytes: 9 })).toBe(20_000)
    const usage = { input_tokens: 7, cache_read_input_tokens: 50_000, cache_creation_input_tokens: 3000, output_tokens: 500 }
    gauge.counted(usage, { bytes: 40_000, images: 2, imageBytes: 9 })
    expect(gauge.tokens({ bytes: 44_000, images: 3, imageBytes: 9 })).toBe(53_507 + 1000 + 5000)
    gauge.counted({}, { bytes: 44_000, images: 3, imageBytes: 9 })
    expect(gauge.tokens({ bytes: 44_000, images: 3, imageBytes: 9 })).toBe(11_000 + 15_000)
    gauge.reset()
    expect(gauge.tokens({ bytes: 4000, images: 0, imageBytes: 0 })).toBe(1000)
  })
})

describe('a context', () => {
  it('warns once, and summarises only after the model has answered the warning', async () => {
    const { context, heard } = around(SMALL)
    context.answered(answerOf(127_000))
    await context.warn()
    expect(heard).toEqual([])
    context.answered(answerOf(160_000))
    await context.warn()
    await context.warn()
    expect(await context.makeRoom()).toBeNull()
    expect(heard).toEqual(['warned'])
    context.answered(answerOf(160_000))
    expect(await context.makeRoom()).toBeNull()
    expect(heard).toEqual(['warned', 'asked', 'fresh: A summary.', 'told'])
    expect(await context.makeRoom()).toBeNull()
    context.answered(answerOf(130_000))
    await context.warn()
    expect(heard.at(-1)).toBe('warned')
  })

  it('summarises at once when the next answer might not fit, or too many bytes of images are in it', async () => {
    const full = around(SMALL)
    full.context.answered(answerOf(181_000))
    await full.context.makeRoom()
    expect(full.heard).toContain('asked')
    const heavy = around(LARGE)
    Object.assign(heavy.size, { images: 4, imageBytes: LIMITS.transcriptBytes / 2 })
    await heavy.context.makeRoom()
    expect(heavy.heard).toContain('asked')
  })

  it.each([
    ['a fault that a shorter conversation may not have', failed('context_exceeded', 'x'), true],
    ['a refused request', failed('model_request_invalid', 'x'), true],
    ['a model that is away', failed('model_unavailable', 'x'), false],
    ['a refused key', failed('model_key_refused', 'x'), false],
  ])('after %s', async (_name, end, goesOn) => {
    const { context, heard } = around(SMALL, { ok: false, end })
    context.answered(answerOf(181_000))
    expect(await context.makeRoom()).toEqual(goesOn ? null : end)
    expect(heard.includes('fresh: null')).toBe(goesOn)
  })

  it('keeps the conversation for the last words when a summary costs too much, unless it is full', async () => {
    for (const [tokens, heard] of [
      [160_000, ['warned', 'asked']],
      [181_000, ['warned', 'asked', 'fresh: null', 'told']],
    ] as const) {
      const poor = around(SMALL, { ok: false, end: failed('budget_exceeded', 'x') })
      poor.context.answered(answerOf(130_000))
      await poor.context.warn()
      poor.context.answered(answerOf(tokens))
      expect(await poor.context.makeRoom()).toBeNull()
      expect(poor.heard).toEqual(heard)
    }
  })

  it('is an extract once; a second time without an answer that had room is the end', async () => {
    const { context } = around(SMALL)
    expect(await context.overflowed()).toBeNull()
    context.answered(answerOf(9, { stopReason: 'model_context_window_exceeded' }))
    expect(await context.overflowed()).toMatchObject({ reason: 'context_exceeded' })
    context.answered(answerOf(9))
    expect(await context.overflowed()).toBeNull()
  })

  it('is the end when it does not come below half, and when it was summarised twenty times', async () => {
    const words = around(SMALL)
    words.afterBytes = 302_000
    words.context.answered(answerOf(181_000))
    expect(await words.context.makeRoom()).toMatchObject({ reason: 'context_exceeded', message: expect.stringContaining('half') })
    const often = around(SMALL)
    for (let time = 0; time < 20; time += 1) {
      often.context.answered(answerOf(181_000))
      expect(await often.context.makeRoom()).toBeNull()
    }
    often.context.answered(answerOf(181_000))
    expect(await often.context.makeRoom()).toMatchObject({
      reason: 'context_exceeded',
      message: expect.stringContaining('20 times'),
    })
  })
})
