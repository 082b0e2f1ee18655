import { existsSync } from 'node:fs'
import { readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { copySqlite, openSqlite, pluck, type Sqlite } from './driver.ts'
import { unusable } from './unusable-database.ts'

/** How many copies from before a migration stay beside the database. */
const COPIES = 3

/** A copy needs some room besides its own bytes, and so does the migration. */
const ROOM = 1.2

/**
 * Puts a copy beside the database before its tables are changed: `<path>.at-<last migration>`, the way back to the version before. Removes
 * the oldest copies.
 * @param done the migrations that the database has
 * @throws Error with what to do if there is no room for it; nothing was changed then
 */
export async function copyBeforeMigration(path: string, sqlite: Sqlite, done: readonly string[]): Promise<string> {
  const copy = `${path}.at-${done.at(-1)}`
  const unfinished = `${copy}.part`
  await rm(unfinished, { force: true })
  await needRoom(path)
  try {
    await copySqlite(sqlite, unfinished)
    await rename(unfinished, copy)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  for (const old of (await listCopies(path)).slice(COPIES)) await rm(old.path, { force: true })
  return copy
}

type Copy = {
  path: string
  /** The last migration that it has. */
  migration: string
}

/** @returns the copies from before a migration, the one that was made last first */
export async function listCopies(path: string): Promise<Copy[]> {
  const beginning = `${basename(path)}.at-`
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(beginning) && !name.endsWith('.part'))
  const copies = await Promise.all(
    names.map(async (name) => {
      const copy = join(dirname(path), name)
      return { path: copy, migration: name.slice(beginning.length), at: (await stat(copy)).mtimeMs }
    }),
  )
  return copies.sort((a, b) => b.at - a.at)
}

async function needRoom(path: string): Promise<void> {
  const sizes = await Promise.all(
    [path, `${path}-wal`].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  const needed = sizes.reduce((sum, size) => sum + size, 0) * ROOM
  const { bavail, bsize } = await statfs(dirname(path))
  if (bavail * bsize >= needed) return
  throw unusable(
    path,
    `must be copied before this version of Errand changes its tables, and there is no room: the copy needs ${megabytes(needed)}, ` +
      `and the disk of ${dirname(path)} has ${megabytes(bavail * bsize)} free. Free some space there and start again. Nothing was changed.`,
  )
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`
}

/**
 * Copies the database of a server that runs or not, for a backup.
 * @param to a file that is not there yet
 * @returns the last migration that it has
 * @throws Error of SQLite
 */
export async function copyDatabase(path: string, to: string): Promise<void> {
  const sqlite = openToLook(path)
  try {
    await copySqlite(sqlite, to)
  } finally {
    sqlite.close()
  }
}

/** @returns null, or what SQLite finds wrong in the file. This reads all of it and blocks the process meanwhile. */
export function findDamage(path: string, how: 'quick' | 'thorough'): string | null {
  const sqlite = openToLook(path)
  try {
    const found = pluck(sqlite, how === 'quick' ? 'pragma quick_check(1)' : 'pragma integrity_check(1)').join(' ')
    return found === 'ok' ? null : found
  } finally {
    sqlite.close()
  }
}

/** A connection that may write would, when it is closed, write what a killed server left in the -wal file into the database. */
function openToLook(path: string): Sqlite {
  return openSqlite(path, { timeoutMs: 20_000, readonly: existsSync(`${path}-wal`) })
}
