import { createRandom, type Random } from './random.ts'

/** Chance with what fuzzers need besides numbers. */
export type Chance = Random & {
  pick: <T>(items: readonly T[]) => T
  bytes: (length: number) => Buffer
  /** @returns the same bytes in pieces, some of them empty, cut anywhere */
  pieces: (bytes: Buffer) => Buffer[]
  /** @returns the bytes with a few of them changed, left out, doubled or moved */
  damaged: (bytes: Buffer) => Buffer
}

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 5)
const ONLY_SEED = process.env.FUZZ_SEED

/** The time that a fuzzer's test needs at most, milliseconds. */
export const FUZZ_TIMEOUT_MS = (SECONDS + 60) * 1000

/**
 * Tries one case after another, each with a seed of its own, until the time is over. `FUZZ_SECONDS` sets the time, and `FUZZ_SEED` repeats one
 * case.
 * @param tryOne throws when the case fails
 * @returns how many cases were tried
 * @throws Error that names the seed of the first case that failed
 */
export async function fuzz(tryOne: (chance: Chance) => unknown, seconds = SECONDS): Promise<number> {
  const first = ONLY_SEED === undefined ? Date.now() % 2 ** 31 : Number(ONLY_SEED)
  const end = performance.now() + seconds * 1000
  for (let tried = 0; ; tried += 1) {
    if (tried > 0 && (performance.now() > end || ONLY_SEED !== undefined)) return tried
    const seed = first + tried
    try {
      await tryOne(createChance(seed))
    } catch (error) {
      throw new Error(`The case with FUZZ_SEED=${seed} failed: ${error instanceof Error ? error.stack : String(error)}`)
    }
    // Timers and sockets of the process go on.
    if (tried % 50 === 49) await new Promise((resume) => setImmediate(resume))
  }
}

export function createChance(seed: number): Chance {
  const random = createRandom(seed)
  const { between, percent } = random
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => between(0, 255)))
  return {
    ...random,
    pick: (items) => items[between(0, items.length - 1)] as (typeof items)[number],
    bytes,
    pieces: (whole) => {
      const pieces: Buffer[] = []
      // Sometimes byte by byte, sometimes in a few large pieces.
      const most = percent(30) ? 3 : percent(50) ? 40 : Math.max(1, whole.length)
      for (let at = 0; at < whole.length; ) {
        const length = between(percent(5) ? 0 : 1, most)
        pieces.push(Buffer.from(whole.subarray(at, at + length)))
        at += length
      }
      return pieces
    },
    damaged: (whole) => {
      let changed: Buffer = Buffer.from(whole)
      for (let times = between(1, 4); times > 0; times -= 1) changed = damage(random, bytes, changed)
      return changed
    },
  }
}

function damage({ between }: Random, bytes: (length: number) => Buffer, whole: Buffer): Buffer {
  const at = between(0, whole.length)
  const length = between(1, 8)
  const rest = whole.subarray(at + length)
  switch (between(0, 4)) {
    case 0:
      return Buffer.concat([whole.subarray(0, at), bytes(length), rest])
    case 1:
      return Buffer.concat([whole.subarray(0, at), rest])
    case 2:
      return Buffer.concat([whole.subarray(0, at + length), whole.subarray(at)])
    case 3:
      return Buffer.concat([whole.subarray(0, at), bytes(length), whole.subarray(at)])
    default:
      return Buffer.concat([rest, whole.subarray(0, at)])
  }
}
