import { describe, expect, it } from '@jest/globals'
import { silenceOf } from '../../../../app/src/task/model/feed-facts.ts'

const MINUTE = 60_000
function at(minutes: number) {
  return 1_000 + minutes * MINUTE
}

describe('a silence', () => {
  it('is told by whole minutes, and not below one', () => {
    expect(silenceOf(at(0.99), at(0), 0).minutes).toBe(0)
    expect(silenceOf(at(1), at(0), 0)).toEqual({ minutes: 1, maybeStuck: false })
    expect(silenceOf(at(0), at(3), 0).minutes).toBe(0)
  })

  it('may mean that it is stuck after five minutes, and again five after a person chose to wait', () => {
    expect(silenceOf(at(4.99), at(0), 0).maybeStuck).toBe(false)
    expect(silenceOf(at(5), at(0), 0).maybeStuck).toBe(true)
    expect(silenceOf(at(9.99), at(0), at(5))).toEqual({ minutes: 9, maybeStuck: false })
    expect(silenceOf(at(10), at(0), at(5)).maybeStuck).toBe(true)
  })

  it('begins anew with the next word', () => {
    expect(silenceOf(at(12), at(11), at(5))).toEqual({ minutes: 1, maybeStuck: false })
    expect(silenceOf(at(16), at(11), at(5)).maybeStuck).toBe(true)
  })
})
