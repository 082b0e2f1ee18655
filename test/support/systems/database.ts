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
