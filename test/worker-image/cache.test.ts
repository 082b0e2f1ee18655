import { afterEach, describe, expect, it } from '@jest/globals'
import type { SeenRequest } from '../support/outside/model-server.ts'
import { type Errand, type ErrandOptions, endOf, startErrand } from './errand.ts'
import { answer, call, text } from './policies.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

/** Enough for every call to read a part of its own, as long as agents often read. */
const LINES = Array.from({ length: 26_000 }, (_, n) => `line ${n} of what a program prints about its work`).join('\n')
function reads(step: number, n: number) {
  return call('read', { file_path: 'lines.txt', offset: (step * 40 + n) * 40 + 1, limit: 40 })
}

function expectEachReadsAllBefore(requests: readonly SeenRequest[]): void {
  let before = 0
  for (const { cache } of requests) {
    expect(cache.read).toBe(before)
    before = cache.read + cache.written
  }
  expect(before).toBeGreaterThan(0)
}

/** @returns the share of the input that came from the cache */
function readShare(requests: readonly SeenRequest[]): number {
  const sum = (what: 'read' | 'written' | 'input') => requests.reduce((total, { cache }) => total + cache[what], 0)
  return sum('read') / (sum('read') + sum('written') + sum('input'))
}

describe('the cache of the model API', () => {
  it.each([
    ['ten calls an answer', 10, 15, 0.85],
    ['one call an answer', 1, 15, 0.75],
    ['forty calls an answer', 40, 6, 0.6],
  ])('with %s the input is read from it, and no prefix breaks', async (_, calls, answers, share) => {
    const { run, model } = await start({
      files: { 'lines.txt': LINES },
      policy: ({ index }) =>
        index < answers
          ? answer(text(`Step ${index}.`), ...Array.from({ length: calls }, (_, n) => reads(index, n)))
          : answer(text('Done.')),
    })
    expect(endOf(await run()).outcome).toBe('completed')
    expect(model.refusals).toEqual([])
    expectEachReadsAllBefore(model.requests)
    expect(readShare(model.requests)).toBeGreaterThanOrEqual(share)
  })

  it('191 calls break no prefix, and each reads all that came before it', async () => {
    const { run, model } = await start({
      policy: ({ index }) =>
        index < 191 ? answer(call('write', { file_path: 'count.txt', content: `${index}\n` })) : answer(text('Counted.')),
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', summary: 'Counted.' })
    expect(model.requests.length).toBeGreaterThanOrEqual(192)
    expect(model.refusals).toEqual([])
    expectEachReadsAllBefore(model.requests)
    expect(readShare(model.requests)).toBeGreaterThan(0.9)
  })
})
