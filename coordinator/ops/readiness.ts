import { sql } from 'kysely'
import { proveWritable, type Store } from '../store/sqlite/database.ts'

type Options = {
  db: Store
  redis: { ping: () => Promise<unknown>; proveWritable: () => Promise<unknown> }
  /** A proof that something takes writes costs a write, and holds for so long. */
  proofMs?: number
}

const PROOF_MS = 10_000

/** @returns what answers `/readyz`: whether the store and Redis can be read and written */
export function createReadiness({ db, redis, proofMs = PROOF_MS }: Options): () => Promise<{ store: boolean; redis: boolean }> {
  const askStore = provenFor(
    proofMs,
    () => proveWritable(db),
    () => sql`select 1`.execute(db),
  )
  const askRedis = provenFor(proofMs, redis.proveWritable, redis.ping)
  return async () => ({ store: await answers(askStore), redis: await answers(askRedis) })
}

/** A proof at most every `proofMs`, and whenever the last one failed; in between it is only asked whether it answers. */
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
