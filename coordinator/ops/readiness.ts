import { proveReadable, proveWritable, type Store } from '../store/sqlite/database.ts'

type Options = {
  db: Store
  redis: { ping: () => Promise<unknown>; proveWritable: () => Promise<unknown> }
  /** How long a successful test write counts; each costs a write. */
  proofMs?: number
}

const PROOF_MS = 10_000

/** @returns the answer to `/readyz`: whether the store and Redis can be read and written */
export function createReadiness({ db, redis, proofMs = PROOF_MS }: Options): () => Promise<{ store: boolean; redis: boolean }> {
  const askStore = provenFor(
    proofMs,
    () => proveWritable(db),
    () => proveReadable(db),
  )
  const askRedis = provenFor(proofMs, redis.proveWritable, redis.ping)
  return async () => ({ store: await answers(askStore), redis: await answers(askRedis) })
}

/** Does a test write at most every `proofMs`, and always after a failed one; in between it only reads. */
function provenFor(proofMs: number, prove: () => Promise<unknown>, ask: () => Promise<unknown>) {
  let provenUntil = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() < provenUntil) return ask()
    await prove()
    provenUntil = performance.now() + proofMs
  }
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch {
    return false
  }
}
