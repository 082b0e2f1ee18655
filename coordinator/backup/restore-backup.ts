import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { findDamage } from '../store/sqlite/copies.ts'
import { checkDatabase } from '../store/sqlite/database.ts'
import { type Manifest, readArchive } from './archive.ts'
import { UnreadableBackup } from './seal.ts'

/**
 * Where a restore unpacks, in the data folder itself: that may be a disk of its own, onto which nothing can be renamed. A coordinator
 * does not start while it is there.
 */
const UNFINISHED = 'restore.part'

/**
 * Restores a backup into an empty folder, whole or not at all: it verifies everything before it puts anything in place. What was under way
 * when the backup was made is held by the first start: the copy of the database is marked.
 * @param from a file, or a stream
 * @param key null: none was given
 * @param to is made if it is not there
 * @throws UnreadableBackup with what to do; the folder is as it was then
 */
export async function restoreBackup(from: string | Readable, key: string | null, to: string): Promise<Manifest> {
  const folder = resolve(to)
  const source = typeof from === 'string' ? await openBackup(from) : from
  await needEmpty(folder)
  const part = join(folder, UNFINISHED)
  await rm(part, { recursive: true, force: true })
  await mkdir(part, { recursive: true, mode: 0o700 })
  let manifest: Manifest
  try {
    manifest = await readArchive(source, key, part)
    await checkDatabase(join(part, 'errand.db'))
    const damage = findDamage(join(part, 'errand.db'), 'thorough')
    if (damage !== null) throw new UnreadableBackup(`The database in this backup is damaged: ${damage}. Take another backup.`)
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    throw error
  }
  await putInPlace(part, folder)
  return manifest
}

async function openBackup(path: string): Promise<Readable> {
  try {
    await (await open(path)).close()
  } catch (cause) {
    throw new UnreadableBackup(`The backup ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}). Check the path.`, {
      cause,
    })
  }
  return createReadStream(path)
}

/** What an earlier restore left that was killed does not count. */
async function needEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new UnreadableBackup(`${folder} cannot be used (${error.code}). Name a folder with --to.`, { cause: error })
  })
  // A file system of its own has this folder.
  const others = found.filter((name) => name !== UNFINISHED && name !== 'lost+found')
  if (others.length === 0) return
  if (found.includes(UNFINISHED))
    throw new UnreadableBackup(`An earlier restore into ${folder} did not end. Remove what is in that folder, and restore again.`)
  throw new UnreadableBackup(
    `${folder} is not empty: it holds ${others.slice(0, 3).join(', ')}${others.length > 3 ? ' and more' : ''}. Stop the server if it runs, ` +
      'and move that folder away, or name another one with --to. Nothing was changed.',
  )
}

/** @throws Error with what to do if a restore into this folder was cut off: a start would take what is there for all that there was */
export function refuseUnfinished(dataDir: string): void {
  if (!existsSync(join(dataDir, UNFINISHED))) return
  throw new Error(
    `A restore into ${dataDir} did not end. Remove what is in that folder, restore the backup again, and start then.`,
  )
}

async function putInPlace(part: string, folder: string): Promise<void> {
  // On the disk before anything is in its place: a power cut must leave the folder unfinished, and recognizable.
  await syncFolder(existsSync(join(part, 'artifacts')) ? join(part, 'artifacts') : part)
  await syncFolder(part)
  await syncFolder(folder)
  for (const name of await readdir(part)) await rename(join(part, name), join(folder, name))
  await syncFolder(folder)
  await rmdir(part)
  await syncFolder(folder)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
