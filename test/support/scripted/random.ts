/** Repeatable chance: the same seed gives the same numbers (mulberry32). */
export type Random = {
  seed: number
  /** @returns a whole number from `least` to `most`, both included */
  between: (least: number, most: number) => number
  /** @returns true in `chance` of a hundred cases */
  percent: (chance: number) => boolean
  /** @returns the same items in another order */
  shuffled: <T>(items: readonly T[]) => T[]
}

export function createRandom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    seed,
    between,
    percent: (chance) => next() * 100 < chance,
    shuffled: (items) => {
      const left = [...items]
      return items.map(() => left.splice(between(0, left.length - 1), 1)[0] as (typeof items)[number])
    },
  }
}
