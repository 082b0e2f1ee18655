import { describe, expect, it } from '@jest/globals'
import { affordableTokens, chargeFor, createBudget, holdFor } from '../../../../runner/gateway/model/budget.ts'
import { NOTHING_READ } from '../../../../runner/gateway/model/usage-meter.ts'

const MODEL = 'claude-opus-5-5'
function hold(usd: number) {
  return { inputTokens: 0, maxOutputTokens: 0, usd }
}
function text(bytes: number, maxTokens: number) {
  return { bytes, images: 0, imageBytes: 0, maxTokens }
}

describe('the ledger', () => {
  it('lets calls through until spent and held together reach the limit', () => {
    const budget = createBudget(1)
    const first = budget.reserve(hold(0.6))
    expect(budget.reserve(hold(0.5))).toBeNull()
    first?.(0.1)
    expect(budget.leftUsd()).toBeCloseTo(0.9)
    const second = budget.reserve(hold(0.9))
    expect(second).not.toBeNull()
    second?.(1.2)
    expect(budget.leftUsd()).toBe(0)
    expect(budget.reserve(hold(0.000001))).toBeNull()
  })

  it('refuses no call because floating numbers do not add up', () => {
    const budget = createBudget(0.3)
    budget.reserve(hold(0.1))?.(0.1)
    expect(budget.reserve(hold(0.2))).not.toBeNull()
  })
})

describe('a hold', () => {
  it('is two bytes a token and all of max_tokens, at list price', () => {
    expect(holdFor(MODEL, text(100_000, 64_000))).toEqual({
      inputTokens: 50_000,
      maxOutputTokens: 64_000,
      usd: (50_000 * 4 + 64_000 * 20) / 1e6,
    })
  })

  it('fits many times into the usual budget', () => {
    expect(holdFor(MODEL, text(200_000, 64_000)).usd).toBeLessThan(5 / 2)
  })

  it('counts an image by what images come to, not by its bytes', () => {
    const withImage = holdFor(MODEL, { bytes: 3_000_000, images: 1, imageBytes: 2_990_000, maxTokens: 0 })
    expect(withImage.inputTokens).toBe(10_000)
  })

  it('takes what the model API has in its cache at what reading it costs, and the rest in full', () => {
    const cached = holdFor(MODEL, text(2_000, 1_000), 100_000)
    expect(cached).toMatchObject({ inputTokens: 1_000, cachedTokens: 100_000 })
    expect(cached.usd).toBeCloseTo((100_000 * 0.2 + 1_000 * 4 + 1_000 * 20) / 1e6)
    expect(affordableTokens(MODEL, cached, cached.usd)).toBe(1_000)
  })

  it('is never for more than the model reads', () => {
    expect(holdFor(MODEL, text(30_000_000, 0)).inputTokens).toBe(1_000_000)
  })

  it('is at the dearer price for a long prompt of a model that has one', () => {
    expect(holdFor('claude-haiku-5-5', text(300_000, 0)).usd).toBeCloseTo((150_000 * 0.5) / 1e6)
  })

  it('that does not fit says how many tokens would', () => {
    const wanted = holdFor(MODEL, text(10_000, 64_000))
    const fit = affordableTokens(MODEL, wanted, 0.1)
    expect(fit).toBe(4000)
    expect(holdFor(MODEL, text(10_000, fit)).usd).toBeLessThanOrEqual(0.1)
    expect(affordableTokens(MODEL, wanted, 0.01)).toBe(0)
  })
})

describe('the charge', () => {
  const held = { inputTokens: 500, maxOutputTokens: 100, usd: 1 }
  const usage = { input_tokens: 40, cache_read_input_tokens: 900, output_tokens: 7 }

  it('of a whole answer is what it says', () => {
    expect(chargeFor(held, { usage, whole: true, failed: false, writtenBytes: 9999 })).toEqual({ usage, estimated: false })
  })

  it('of a cut answer is its prompt and what was written, up to what was allowed', () => {
    const cut = { usage, whole: false, failed: false }
    expect(chargeFor(held, { ...cut, writtenBytes: 60 })?.usage.output_tokens).toBe(20)
    expect(chargeFor(held, { ...cut, writtenBytes: 2 })?.usage.output_tokens).toBe(7)
    expect(chargeFor(held, { ...cut, writtenBytes: 9999 })).toEqual({ usage: { ...usage, output_tokens: 100 }, estimated: true })
  })

  it('of an answer that nobody saw is what was held for the prompt', () => {
    expect(chargeFor(held, NOTHING_READ)).toEqual({ usage: { input_tokens: 500, output_tokens: 0 }, estimated: true })
  })

  it('of a whole answer that says nothing of its cost, or only a part, is what was held', () => {
    const whole = { ...NOTHING_READ, whole: true }
    expect(chargeFor(held, whole)).toEqual({ usage: { input_tokens: 500, output_tokens: 100 }, estimated: true })
    expect(chargeFor(held, { ...whole, usage: {} })).toEqual(chargeFor(held, whole))
    expect(chargeFor(held, { ...whole, usage: { output_tokens: 7 } })).toEqual(chargeFor(held, whole))
    expect(chargeFor(held, { ...whole, usage: { input_tokens: 40 } })).toEqual({
      usage: { input_tokens: 40, output_tokens: 100 },
      estimated: true,
    })
  })

  it('of an answer whose usage no call can have is what was held: it never gives money back', () => {
    expect(chargeFor(held, { usage, whole: true, failed: false, doubtful: true, writtenBytes: 9 })).toEqual({
      usage: { input_tokens: 500, output_tokens: 100 },
      estimated: true,
    })
  })

  it('of an answer that was cut while its text passed here is what passed, whatever time it took', () => {
    const cut = { usage, whole: false, failed: false, writtenBytes: 120, visibleMs: 60_000 }
    const wide = { ...held, maxOutputTokens: 64_000 }
    expect(chargeFor(wide, cut, 60_000)?.usage.output_tokens).toBe(40)
    // Before it, the model thought for ten seconds.
    expect(chargeFor(wide, cut, 70_000)?.usage.output_tokens).toBe(1_040)
  })

  it('of an answer whose caller left is also what nobody saw of it, up to what was allowed', () => {
    const wide = { ...held, maxOutputTokens: 64_000 }
    expect(chargeFor(wide, NOTHING_READ, 60_000)?.usage.output_tokens).toBe(6_000)
    expect(chargeFor(held, NOTHING_READ, 60_000)?.usage.output_tokens).toBe(100)
  })

  it('of a call that failed before it began is nothing', () => {
    expect(chargeFor(held, { ...NOTHING_READ, failed: true })).toBeNull()
    expect(chargeFor(held, { usage, whole: false, failed: true, writtenBytes: 0 })).not.toBeNull()
  })
})
