import { describe, expect, it } from '@jest/globals'
import { climb } from './ladder.ts'
import { megabytes, milliseconds, NOT_MEASURED, ratio } from './table.ts'

const LADDER = { rates: [500, 1000, 2000], boundMs: 100 }

async function climbing(samples: Record<number, (number | Error)[]>) {
  const tried: number[] = []
  const end = await climb(
    LADDER,
    async (rate) => {
      tried.push(rate)
      const sample = samples[rate]?.shift() ?? 5
      if (sample instanceof Error) throw sample
      return sample
    },
    () => undefined,
  )
  return { ...end, tried }
}

describe('the highest rate within the bound', () => {
  it('is not given up for one bad sample, or two', async () => {
    expect(await climbing({ 500: [250], 2000: [130, new Error('too late')] })).toEqual({
      highest: 2000,
      why: null,
      tried: [500, 500, 1000, 2000, 2000, 2000],
    })
  })

  it('is the last before one that failed each time', async () => {
    expect(await climbing({ 1000: [120, 110, 140] })).toEqual({ highest: 500, why: null, tried: [500, 1000, 1000, 1000] })
  })

  it('is no figure when nothing was within the bound, or nothing was measured', async () => {
    expect(await climbing({ 500: [300, 250, new Error('x')] })).toMatchObject({
      highest: null,
      why: 'at the lowest rate, 500, p99 was 250 ms at best (bound 100 ms)',
    })
    expect(await climbing({ 500: [Number.NaN, Number.NaN, new Error('the task did not end')] })).toMatchObject({
      highest: null,
      why: 'Error: the task did not end',
    })
  })
})

describe('a cell of the table', () => {
  it('holds no figure that was not measured', () => {
    expect([milliseconds([], 0.5), ratio([], [1]), ratio([1], []), megabytes(null), ratio(null, 3)]).toEqual(
      Array(5).fill(NOT_MEASURED),
    )
    expect([milliseconds([1, 2, 3], 0.5), ratio([4], [2]), megabytes(12)]).toEqual(['2.0 ms', '2.00 ×', '12 MB'])
  })
})
