import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import SQLite from 'better-sqlite3'
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely'
import { keepDatabase, keepStatements } from './kept-natives.ts'
import * as initial from './migrations/0001-initial.ts'
import * as conversation from './migrations/0002-conversation.ts'
import * as notifications from './migrations/0003-notifications.ts'
import * as budgets from './migrations/0004-budgets.ts'
import * as toldTurns from './migrations/0005-told-turns.ts'
import * as unwellRunners from './migrations/0006-unwell-runners.ts'
import * as keyCheck from './migrations/0007-key-check.ts'
import * as stepsExceeded from './migrations/0008-steps-exceeded.ts'
import * as waiting from './migrations/0009-waiting.ts'
import { openFault, RESTORE, unusable } from './open-fault.ts'
import type { Database } from './schema.ts'

/** The database, or a transaction on it. */
export type Store = Kysely<Database>

/** How long a start waits for another process to let go of the database: a server that is just being replaced. */
const LOCK_WAIT_MS = 2_000
/** How long it waits for a program that only reads, or backs up. */
const BUSY_WAIT_MS = 5_000

/** What SQLite keeps beside a database while it is open; `-wal` also after a kill. */
const BESIDE = ['-wal', '-shm', '-journal']

/**
 * Opens the SQLite file, made if absent, and brings its tables up to date. Its folder and files are for the server's own user alone.
 * One process has it at a time; `destroy()` closes it and lets go.
 * @param approve looks at a database that was there before, as it was left; nothing has been changed yet when it throws
 * @throws Error with what to do when the file is not Errand's, another process has it, or it cannot be written
 */
export async function openDatabase(
  path: string,
  approve: (found: Store) => Promise<void> = async () => undefined,
): Promise<Store> {
  try {
    if (await isThere(path)) await inspect(path, approve)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await chmod(dirname(path), 0o700)
    const lock = takeLock(path)
    const letGo = () => void lock.close()
    try {
      if (!(await isThere(path))) await makeNew(path)
      await makePrivate(path)
      return await connect(path, letGo)
    } catch (error) {
      letGo()
      throw error
    }
  } catch (error) {
    throw openFault(path, error) ?? error
  }
}

/** @throws Error with what to do when what is there cannot be a database, or a part of one is left */
async function isThere(path: string): Promise<boolean> {
  const found = await statOf(path)
  if (found === null) {
    if (await statOf(`${path}-wal`)) throw unusable(path, `is gone, and ${path}-wal, a part of it, is there. ${RESTORE}`)
    return false
  }
  if (!found.isFile()) throw unusable(path, 'is no file. DATABASE_URL=file:<path> and ERRAND_DATA_DIR say where it is.')
  if (found.size === 0) throw unusable(path, `is empty: a file of 0 bytes. ${RESTORE}`)
  return true
}

function statOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

/** Only reads, and leaves no file behind. */
async function inspect(path: string, approve: (found: Store) => Promise<void>): Promise<void> {
  // What a killed server left in the -wal file would be written into the database at the close of a connection that may write.
  const readonly = (await statOf(`${path}-wal`)) !== null
  const sqlite = keepDatabase(new SQLite(path, { timeout: LOCK_WAIT_MS, fileMustExist: true, readonly }))
  try {
    checkOurs(path, sqlite)
    await approve(storeOn(sqlite, () => undefined))
  } finally {
    sqlite.close()
  }
}

/** @throws Error with what to do when another program, or a newer version of this one, has written it */
function checkOurs(path: string, sqlite: SQLite.Database): void {
  const names = (query: string) => sqlite.prepare<[], string>(query).pluck().all()
  const tables = names("select name from sqlite_master where type = 'table' and name not like 'kysely%'")
  const hasMigrations = names("select name from sqlite_master where name = 'kysely_migration'").length > 0
  const done = hasMigrations ? names('select name from kysely_migration order by name') : []
  if (tables.length === 0 && done.length === 0) throw unusable(path, `is empty: it has no tables. ${RESTORE}`)
  if (!done.includes(FIRST_MIGRATION))
    throw unusable(path, 'belongs to another program. Name a file of its own for Errand: DATABASE_URL=file:<path>.')
  const unknown = done.filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0)
    throw unusable(
      path,
      `was written by a newer version of Errand (${unknown.at(-1)}). Start that version, or restore the backup from before the update.`,
    )
}

/** Under another name first: a start that is cut off, or finds no room, leaves no half of a database. */
async function makeNew(path: string): Promise<void> {
  const unfinished = `${path}.new`
  const clear = () => Promise.all(['', ...BESIDE].map((ending) => rm(unfinished + ending, { force: true })))
  await clear()
  try {
    await (await open(unfinished, 'wx', 0o600)).close()
    await (await connect(unfinished, () => undefined)).destroy()
    await rename(unfinished, path)
  } catch (error) {
    await clear()
    throw error
  }
}

/** SQLite gives its -wal and -shm files the mode of the database. */
async function makePrivate(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.chmod(0o600)
  await file.close()
}

async function connect(path: string, letGo: () => void): Promise<Store> {
  const sqlite = keepDatabase(new SQLite(path, { timeout: BUSY_WAIT_MS, fileMustExist: true }))
  const db = storeOn(sqlite, letGo)
  try {
    sqlite.exec('pragma journal_mode = WAL; pragma synchronous = FULL; pragma foreign_keys = ON')
    await migrate(db)
    return db
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** @param closed called after `destroy()` has closed it */
function storeOn(sqlite: SQLite.Database, closed: () => void): Store {
  const prepare = keepStatements(sqlite)
  const close = () => {
    sqlite.close()
    closed()
  }
  return new Kysely<Database>({
    dialect: new SqliteDialect({ database: { prepare: (text) => prepare(stillToDo(text, sqlite)), close } }),
  })
}

/**
 * A full disk ends a transaction by itself, and a rollback after that fails (sqlite.org/lang_transaction.html, 3.4). Its error would
 * hide the one that says what happened.
 */
function stillToDo(text: string, { inTransaction }: SQLite.Database): string {
  return text === 'rollback' && !inTransaction ? 'select 1' : text
}

/**
 * An exclusive transaction on a file of its own, open as long as the process lives. The kernel ends it with the process, however
 * that dies, and the database itself stays readable for others.
 */
function takeLock(path: string): SQLite.Database {
  const lock = keepDatabase(new SQLite(`${path}.lock`, { timeout: LOCK_WAIT_MS }))
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (cause) {
    lock.close()
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause
    throw new Error(`Another coordinator works on ${path}. Stop it first, or give this one a data folder of its own.`)
  }
}

/** @throws Error when nothing can be read */
export function proveReadable(db: Store): Promise<unknown> {
  return sql`select 1`.execute(db)
}

/**
 * Writes what is there already to the disk: reading proves nothing about a full or read-only disk.
 * @throws Error when nothing can be stored
 */
export function proveWritable(db: Store): Promise<unknown> {
  return sql`pragma user_version = 0`.execute(db)
}

const MIGRATIONS = {
  '0001-initial': initial,
  '0002-conversation': conversation,
  '0003-notifications': notifications,
  '0004-budgets': budgets,
  '0005-told-turns': toldTurns,
  '0006-unwell-runners': unwellRunners,
  '0007-key-check': keyCheck,
  '0008-steps-exceeded': stepsExceeded,
  '0009-waiting': waiting,
}
const FIRST_MIGRATION: keyof typeof MIGRATIONS = '0001-initial'

async function migrate(db: Store): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error)
    throw new Error(`The tables could not be brought up to date: ${error}. Restore a backup, and tell us.`, { cause: error })
}
