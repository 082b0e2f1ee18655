import { sql } from 'kysely'
import type { Store } from './database.ts'

/** The database file: its size, and how much of that is free for new rows, bytes. */
export type DatabaseSize = { bytes: number; freeBytes: number }

export async function readSize(db: Store): Promise<DatabaseSize> {
  const read = async (name: string) => {
    const { rows } = await sql.raw<Record<string, number>>(`pragma ${name}`).execute(db)
    return Number(Object.values(rows[0] ?? {})[0] ?? 0)
  }
  const pageBytes = await read('page_size')
  return { bytes: (await read('page_count')) * pageBytes, freeBytes: (await read('freelist_count')) * pageBytes }
}

const MB = 1024 * 1024
/** Less free space is soon used again. */
const WORTH_BYTES = 64 * MB
const WORTH_SHARE = 0.3
/** Everything waits meanwhile: about a second for each 200 MB. */
const MOST_BYTES = 1024 * MB

/**
 * Gives the free space in the database file back to the disk if that is worth it, fits, and disturbs nobody: no task waits or runs.
 * @param roomBytes what it may take meanwhile: it writes the whole database again, and then over itself
 * @returns the sizes before and after; null if nothing was done
 */
export async function giveSpaceBack(db: Store, roomBytes: number): Promise<{ before: number; after: number } | null> {
  const { bytes, freeBytes } = await readSize(db)
  const usedBytes = bytes - freeBytes
  const isWorthIt = freeBytes >= WORTH_BYTES && freeBytes >= bytes * WORTH_SHARE
  if (!isWorthIt || usedBytes > MOST_BYTES || usedBytes * 2 > roomBytes || (await isBusy(db))) return null
  await sql`vacuum`.execute(db)
  await sql`pragma wal_checkpoint(truncate)`.execute(db)
  return { before: bytes, after: (await readSize(db)).bytes }
}

async function isBusy(db: Store): Promise<boolean> {
  const underWay = db.selectFrom('tasks').select('id').where('status', 'in', ['pending', 'running'])
  return (await underWay.limit(1).executeTakeFirst()) !== undefined
}
