import type { DiskSpace } from '../process/disk-space.ts'
import { proveReadable, proveWritable, type Store } from '../store/sqlite/database.ts'

type Options = {
  db: Store
  disk: DiskSpace
  redis: { ping: () => Promise<unknown>; proveWritable: () => Promise<unknown> }
  /** How long a successful test write counts; each costs a write. */
  proofMs?: number
}

const PROOF_MS = 10_000

/** Whether the store and Redis can be read and written; `disk`: whether there is room for new work. */
export type Readiness = () => Promise<{ store: boolean; redis: boolean; disk: boolean }>

/** @returns the answer to `/readyz` */
export function createReadiness({ db, disk, redis, proofMs = PROOF_MS }: Options): Readiness {
  const askStore = provenFor(
    proofMs,
    () => proveWritable(db),
    () => proveReadable(db),
  )
  const askRedis = provenFor(proofMs, redis.proveWritable, redis.ping)
  const askDisk = async () => {
    if ((await disk.look()).low) throw new Error('there is no room for new work')
  }
  return async () => ({ store: await answers(askStore), redis: await answers(askRedis), disk: await answers(askDisk) })
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
