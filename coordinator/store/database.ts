import { chmod, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import SQLite from 'better-sqlite3'
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely'
import { keepDatabase, keepStatements } from './kept-natives.ts'
import * as initial from './migrations/0001-initial.ts'
import * as conversation from './migrations/0002-conversation.ts'
import * as notifications from './migrations/0003-notifications.ts'
import * as budgets from './migrations/0004-budgets.ts'
import * as toldTurns from './migrations/0005-told-turns.ts'
import type { Database } from './schema.ts'

/** The database, or a transaction on it. */
export type Store = Kysely<Database>

/** How long a start waits for another process to let go of the database: a server that is just being replaced. */
const LOCK_WAIT_MS = 2_000

/**
 * Opens the SQLite file, made if absent, and brings its tables up to date. Its folder and files are for the server's own user alone.
 * One process has it at a time; `destroy()` closes it and lets go.
 * @throws Error with what to do when another process has it, or a migration fails
 */
export const openDatabase = async (path: string): Promise<Store> => {
  await makePrivate(path)
  const lock = takeLock(path)
  const sqlite = keepDatabase(new SQLite(path, { timeout: 5_000 }))
  // The lock outlives the database.
  const close = () => {
    sqlite.close()
    lock.close()
  }
  try {
    sqlite.exec('pragma journal_mode = WAL; pragma synchronous = FULL; pragma foreign_keys = ON')
    const prepare = keepStatements(sqlite)
    const db = new Kysely<Database>({
      dialect: new SqliteDialect({ database: { prepare: (text) => prepare(stillToDo(text, sqlite)), close } }),
    })
    await migrate(db)
    return db
  } catch (error) {
    close()
    throw error
  }
}

/**
 * A full disk ends a transaction by itself, and a rollback after that fails (sqlite.org/lang_transaction.html, 3.4). Its error would
 * hide the one that says what happened.
 */
const stillToDo = (text: string, { inTransaction }: SQLite.Database): string =>
  text === 'rollback' && !inTransaction ? 'select 1' : text

const makePrivate = async (path: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(dirname(path), 0o700)
  // SQLite gives its -wal and -shm files the mode of the database.
  const file = await open(path, 'a', 0o600)
  await file.chmod(0o600)
  await file.close()
}

/**
 * An exclusive transaction on a file of its own, open as long as the process lives. The kernel ends it with the process, however
 * that dies, and the database itself stays readable for others.
 */
const takeLock = (path: string): SQLite.Database => {
  const lock = keepDatabase(new SQLite(`${path}.lock`, { timeout: LOCK_WAIT_MS }))
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (cause) {
    lock.close()
    throw new Error(`Another coordinator works on ${path}. Stop it first, or give this one a data folder of its own.`, { cause })
  }
}

/**
 * Writes to the disk what is there already: a reading proves nothing of a full or read-only one.
 * @throws Error when nothing can be stored
 */
export const proveWritable = (db: Store): Promise<unknown> => sql`pragma user_version = 0`.execute(db)

const MIGRATIONS = {
  '0001-initial': initial,
  '0002-conversation': conversation,
  '0003-notifications': notifications,
  '0004-budgets': budgets,
  '0005-told-turns': toldTurns,
}

const migrate = async (db: Store): Promise<void> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('The database could not be brought up to date. Was it written by a newer version?', { cause: error })
}

/**
 * @returns whether the store as a whole is in trouble (disk full, locked, broken), so that the same may work later; anything else
 * is the fault of what was asked (sqlite.org/rescode.html)
 */
export const isStoreTrouble = (error: unknown): boolean => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^SQLITE_(FULL|BUSY|LOCKED|IOERR|READONLY|CANTOPEN|NOMEM|CORRUPT|NOTADB|PROTOCOL)/.test(code)
}
