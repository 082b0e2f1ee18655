import { afterEach, describe, expect, it } from '@jest/globals'
import type { SeenRequest } from '../support/outside/model-server.ts'
import { type Errand, type ErrandOptions, endOf, startErrand } from './errand.ts'
import { answer, bash, text } from './policies.ts'

let errand: Errand
async function start(options: ErrandOptions) {
  errand = await startErrand(options)
  return errand
}
afterEach(async () => {
  await errand.stop()
})

/** A file as long as agents often read, never the same. */
function prints(step: number, call: number): string {
  return `for n in $(seq 40); do echo "step ${step} call ${call} line $n of what a program prints about its work"; done`
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
      policy: ({ index }) =>
        index < answers
          ? answer(text(`Step ${index}.`), ...Array.from({ length: calls }, (_, call) => bash(prints(index, call))))
          : answer(text('Done.')),
    })
    expect(endOf(await run()).outcome).toBe('completed')
    expect(model.refusals).toEqual([])
    expectEachReadsAllBefore(model.requests)
    expect(readShare(model.requests)).toBeGreaterThanOrEqual(share)
  })

  it('191 calls break no prefix, and each reads all that came before it', async () => {
    const { run, model } = await start({
      policy: ({ index }) => (index < 191 ? answer(bash(`echo ${index} >> count.txt`)) : answer(text('Counted.'))),
    })
    expect(endOf(await run())).toMatchObject({ outcome: 'completed', summary: 'Counted.' })
    expect(model.requests.length).toBeGreaterThanOrEqual(192)
    expect(model.refusals).toEqual([])
    expectEachReadsAllBefore(model.requests)
    expect(readShare(model.requests)).toBeGreaterThan(0.9)
  }, 120_000)
})
