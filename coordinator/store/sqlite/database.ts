import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Kysely, Migrator, SqliteDialect, sql } from 'kysely'
import { copyBeforeMigration, listCopies } from './copies.ts'
import { openSqlite, pluck, type Sqlite } from './driver.ts'
import * as initial from './migrations/0001-initial.ts'
import * as conversation from './migrations/0002-conversation.ts'
import * as notifications from './migrations/0003-notifications.ts'
import * as budgets from './migrations/0004-budgets.ts'
import * as toldTurns from './migrations/0005-told-turns.ts'
import * as unwellRunners from './migrations/0006-unwell-runners.ts'
import * as keyCheck from './migrations/0007-key-check.ts'
import * as stepsExceeded from './migrations/0008-steps-exceeded.ts'
import * as waiting from './migrations/0009-waiting.ts'
import * as parked from './migrations/0010-parked.ts'
import * as effort from './migrations/0011-effort.ts'
import * as storage from './migrations/0012-storage.ts'
import * as proofs from './migrations/0014-proofs.ts'
import type { Database } from './schema.ts'
import { explainFault, RESTORE, unusable } from './unusable-database.ts'

/** The database, or a transaction on it. */
export type Store = Kysely<Database>

/** How long a start waits for another process to release the database: a server that is being replaced. */
const LOCK_WAIT_MS = 2_000
/** How long it waits for a program that only reads, or backs up. */
const BUSY_WAIT_MS = 5_000

/** Files that SQLite keeps beside an open database; `-wal` also stays after a kill. */
const BESIDE = ['-wal', '-shm', '-journal']

/**
 * Opens the SQLite file, creates it if absent, and migrates its tables. Only the server's own user may read its folder and files.
 * One process holds it at a time; `destroy()` closes and releases it.
 * @param approve sees an existing database before anything is changed, and may throw
 * @throws Error with what to do if the file is not Errand's, another process holds it, or it cannot be written
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
    const release = () => void lock.close()
    try {
      if (!(await isThere(path))) await makeNew(path)
      await makePrivate(path)
      return await connect(path, release)
    } catch (error) {
      release()
      throw error
    }
  } catch (error) {
    throw explainFault(path, error) ?? error
  }
}

/** @throws Error with what to do if the file cannot be a database, or only a part of one is left */
async function isThere(path: string): Promise<boolean> {
  const found = await statOf(path)
  if (found === null) {
    if (await statOf(`${path}-wal`)) throw unusable(path, `is missing, but ${path}-wal, a part of it, is there. ${RESTORE}`)
    return false
  }
  if (!found.isFile()) throw unusable(path, 'is not a file. Set its place with DATABASE_URL=file:<path> or ERRAND_DATA_DIR.')
  if (found.size === 0) throw unusable(path, `is empty: a file of 0 bytes. ${RESTORE}`)
  return true
}

function statOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

/** Only reads and leaves no file behind. */
async function inspect(path: string, approve: (found: Store) => Promise<void>): Promise<void> {
  // Closing a connection that may write would write what a killed server left in the -wal file into the database.
  const readonly = (await statOf(`${path}-wal`)) !== null
  const sqlite = openSqlite(path, { timeoutMs: LOCK_WAIT_MS, readonly })
  try {
    await checkOurs(path, sqlite)
    await approve(storeOn(sqlite, () => undefined))
  } finally {
    sqlite.close()
  }
}

/** @throws Error with what to do if another program or a newer version of Errand has written it */
async function checkOurs(path: string, sqlite: Sqlite): Promise<void> {
  const tables = pluck(sqlite, "select name from sqlite_master where type = 'table' and name not like 'kysely%'")
  const done = migrationsIn(sqlite)
  if (tables.length === 0 && done.length === 0) throw unusable(path, `is empty: it has no tables. ${RESTORE}`)
  if (!done.includes(FIRST_MIGRATION))
    throw unusable(path, 'belongs to another program. Give Errand its own file with DATABASE_URL=file:<path>.')
  const unknown = done.filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0)
    throw unusable(
      path,
      `was written by a newer version of Errand (${unknown.at(-1)}). Start that version, or ${await wayBack(path)} (docs/upgrading.md).`,
    )
}

/** Names the copy that this version can open. It is marked as a copy, so it may be put in place as it is. */
async function wayBack(path: string): Promise<string> {
  const copy = (await listCopies(path)).find(({ migration }) => migration in MIGRATIONS)
  if (!copy) return 'restore the backup from before the update'
  return (
    `go back to what was before the update: move ${path} away, and ${path}-wal if it is there, rename ${copy.path} to ${path}, ` +
    'and start again. What happened since the update is not in it'
  )
}

function migrationsIn(sqlite: Sqlite): string[] {
  const hasMigrations = pluck(sqlite, "select name from sqlite_master where name = 'kysely_migration'").length > 0
  return hasMigrations ? pluck(sqlite, 'select name from kysely_migration order by name') : []
}

/** Creates it under another name first: a start that is killed or finds no room must not leave half a database. */
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

/** SQLite gives its -wal and -shm files the mode of the database file. */
async function makePrivate(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.chmod(0o600)
  await file.close()
}

async function connect(path: string, release: () => void): Promise<Store> {
  const sqlite = openSqlite(path, { timeoutMs: BUSY_WAIT_MS })
  const db = storeOn(sqlite, release)
  try {
    sqlite.exec('pragma journal_mode = WAL; pragma synchronous = FULL; pragma foreign_keys = ON')
    await migrate(path, sqlite, db)
    return db
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** @param closed called once `destroy()` has closed it */
function storeOn(sqlite: Sqlite, closed: () => void): Store {
  const close = () => {
    sqlite.close()
    closed()
  }
  return new Kysely<Database>({
    dialect: new SqliteDialect({ database: { prepare: (text) => sqlite.prepare(stillToDo(text, sqlite)), close } }),
  })
}

/**
 * A full disk ends a transaction by itself, and a rollback after that fails (sqlite.org/lang_transaction.html, 3.4). The second error
 * would hide the first, which tells what happened.
 */
function stillToDo(text: string, { inTransaction }: Sqlite): string {
  return text === 'rollback' && !inTransaction ? 'select 1' : text
}

/**
 * Holds an exclusive transaction on a separate file as long as the process lives. The kernel ends it with the process, however that dies,
 * and other programs can still read the database itself.
 */
function takeLock(path: string): Sqlite {
  const lock = openSqlite(`${path}.lock`, { timeoutMs: LOCK_WAIT_MS, create: true })
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (cause) {
    lock.close()
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause
    throw new Error(`Another coordinator uses ${path}. Stop it first, or give this one its own data folder.`)
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
  '0010-parked': parked,
  '0011-effort': effort,
  '0012-storage': storage,
  '0014-proofs': proofs,
}
const FIRST_MIGRATION: keyof typeof MIGRATIONS = '0001-initial'

async function migrate(path: string, sqlite: Sqlite, db: Store): Promise<void> {
  const done = migrationsIn(sqlite)
  const copy =
    done.length > 0 && done.length < Object.keys(MIGRATIONS).length ? await copyBeforeMigration(path, sqlite, done) : null
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  const way = copy === null ? 'Restore a backup' : `The copy from before is ${copy}. Start the version before`
  throw new Error(`The database could not be migrated: ${error}. ${way}, and report this.`, { cause: error })
}

/**
 * Checks a database without a change: one of a running server, or one that is about to be put in place.
 * @param approve as in {@link openDatabase}
 * @throws Error with what is wrong if it is not Errand's, or of a newer version
 */
export async function checkDatabase(
  path: string,
  approve: (found: Store) => Promise<void> = async () => undefined,
): Promise<void> {
  try {
    if (!(await isThere(path))) throw unusable(path, 'is missing.')
    await inspect(path, approve)
  } catch (error) {
    throw explainFault(path, error) ?? error
  }
}

/** Opens a database that nobody uses, only to read it. `destroy()` closes it. */
export function openToRead(path: string): Store {
  return storeOn(openSqlite(path, { timeoutMs: LOCK_WAIT_MS, readonly: true }), () => undefined)
}
