export type Waiting = { id: string; turn: number }

/**
 * Notes what waits, look by look.
 * @returns a function that names those which have waited for `longMs` without a break, each once
 */
export function createLongWaits(longMs: number): <T extends Waiting>(waiting: readonly T[], now: number) => T[] {
  let seen = new Map<string, { since: number; named: boolean }>()
  return (waiting, now) => {
    const before = seen
    seen = new Map()
    return waiting.filter(({ id, turn }) => {
      const key = `${id} ${turn}`
      const { since, named } = before.get(key) ?? { since: now, named: false }
      const isLong = now - since >= longMs
      seen.set(key, { since, named: named || isLong })
      return isLong && !named
    })
  }
}
