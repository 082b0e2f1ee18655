import { open } from 'node:fs/promises'
import SQLite from 'better-sqlite3'
import { keepNatives } from './kept-natives.ts'

export type Sqlite = SQLite.Database

type How = {
  /** How long to wait for another process that holds the file, ms. */
  timeoutMs: number
  /** May change nothing and leave no file behind. */
  readonly?: boolean
  /** Makes the file if it is not there. */
  create?: boolean
}

/** The one place that opens a file with the driver. */
export function openSqlite(path: string, { timeoutMs, readonly = false, create = false }: How): Sqlite {
  return keepNatives(new SQLite(path, { timeout: timeoutMs, readonly, fileMustExist: !create }))
}

/**
 * Writes a copy of the database as it is at one moment, in one read transaction: others go on writing meanwhile. This blocks the process
 * until it is done. (The driver's own `backup` makes a native object that cannot be kept from the collector: see `kept-natives.ts`.)
 * The copy says that it is one, and of which time: {@link MARK}.
 * @param to a file that is not there yet
 * @throws Error of SQLite, also when a part of the database is broken
 */
export async function copySqlite(from: Sqlite, to: string): Promise<void> {
  await (await open(to, 'wx', 0o600)).close()
  // SQLite takes an empty file as a new one, and keeps its mode.
  from.prepare('vacuum into ?').run(to)
  const copy = openSqlite(to, { timeoutMs: 0 })
  try {
    copy.exec(`pragma synchronous = FULL; create table if not exists ${MARK} (copied_at bigint not null)`)
    copy.prepare(`insert into ${MARK} values (?)`).run(Date.now())
  } finally {
    copy.close()
  }
  const file = await open(to, 'r+')
  await file.sync().finally(() => file.close())
}

/** The table that only a copy has. The coordinator that opens a copy holds what was under way when it was made, and drops the table. */
export const MARK = 'copy_mark'

/** @returns the first column of every row */
export function pluck(sqlite: Sqlite, query: string): string[] {
  return sqlite.prepare<[], string>(query).pluck().all()
}
