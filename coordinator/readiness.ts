import { sql } from 'kysely'
import { proveWritable, type Store } from './store/database.ts'

type Options = {
  db: Store
  pingRedis: () => Promise<unknown>
  /** A proof that the store takes writes waits for the disk, and holds for so long. */
  proofMs?: number
}

const PROOF_MS = 10_000

/** @returns what answers `/readyz`: whether the store can be read and written, and Redis answers */
export const createReadiness = ({
  db,
  pingRedis,
  proofMs = PROOF_MS,
}: Options): (() => Promise<{ store: boolean; redis: boolean }>) => {
  let provenUntil = Number.NEGATIVE_INFINITY
  const askStore = async () => {
    if (performance.now() < provenUntil) return sql`select 1`.execute(db)
    await proveWritable(db)
    provenUntil = performance.now() + proofMs
  }
  return async () => ({ store: await answers(askStore), redis: await answers(pingRedis) })
}

const answers = async (ask: () => Promise<unknown>): Promise<boolean> => {
  try {
    await ask()
    return true
  } catch {
    return false
  }
}
