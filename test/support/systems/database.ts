import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import type { DiskSpace } from '../../../coordinator/process/disk-space.ts'
import { openDatabase, type Store } from '../../../coordinator/store/sqlite/database.ts'
import { temporaryFolder } from './temporary.ts'

const MB = 1024 * 1024

/** A disk with much room. */
export const ROOMY: DiskSpace = {
  look: async () => ({ freeBytes: 900 * MB, totalBytes: 1_000 * MB, floorBytes: 100 * MB, low: false }),
}

export type TestDatabase = { db: Store; dataDir: string; close: () => Promise<void> }

/** A database of the test's own, as the coordinator opens it, in a data folder that goes with it. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await temporaryFolder()
  const db = await openDatabase(join(folder.path, 'errand.db'))
  return {
    db,
    dataDir: folder.path,
    close: async () => {
      await db.destroy()
      await folder.remove()
    },
  }
}

/** Works on a database file behind the coordinator's back; the file is made where there is none. */
export function withSqlite<T>(file: string, use: (sqlite: SQLite.Database) => T): T {
  const sqlite = new SQLite(file, { timeout: 5000 })
  try {
    return use(sqlite)
  } finally {
    sqlite.close()
  }
}

/** What takes migrations back, in SQL: a test of an older one deletes their rows of `kysely_migration` too. */
export const UNDO = {
  waiting: `drop index tasks_in_line; drop index tasks_released; alter table tasks drop column effort;
    alter table tasks drop column waiting_until; alter table attempts drop column waiting_until;`,
  storage: `drop table server_state; drop index tasks_deleted; alter table tasks drop column deleted_at;
    alter table tasks drop column event_bytes; alter table users drop column deleted_cost_usd;`,
  proofs: `alter table attempts drop column proven; alter table runners drop column contract; alter table runners drop column draining;`,
} as const
