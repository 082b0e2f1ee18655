import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { access, chmod, mkdir, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { fileNameOf } from '../artifacts/sweep.ts'
import { ROOT_FOLDER } from '../process/root-folder.ts'
import { listArtifacts } from '../store/artifacts.ts'
import { copyDatabase, findDamage } from '../store/sqlite/copies.ts'
import { openToRead } from '../store/sqlite/database.ts'
import { explainFault } from '../store/sqlite/unusable-database.ts'
import { type Manifest, type Source, writeArchive } from './archive.ts'
import { pinFiles, removeOldWork, workFolder } from './pins.ts'

/** Where a server keeps its data. */
export type Places = {
  dataDir: string
  databasePath: string
  /** Whether ERRAND_SECRET_KEY holds the secret key, and not a file in the data folder. */
  keyInEnvironment: boolean
  /** The file with the runners' token, if it is not in the data folder. */
  runnerTokenFile: string | null
}

/** A backup cannot be made, for the person who asked for it. */
export class NoBackup extends Error {
  override name = 'NoBackup'
}

export type Made = { manifest: Manifest; bytes: number }

/** Small files that the server made for itself. Without the first, the stored git tokens cannot be read. */
const SMALL_FILES = ['secret-key', 'owner-token', 'runner-token', 'vapid-keys.json'] as const

/**
 * Makes a backup of a server that runs or not: the database as it is at one moment, the artifacts that it names, and the server's own keys.
 * The server goes on meanwhile. This blocks the process for as long as SQLite copies.
 * @param to a file, which is there whole or not at all, with mode 600; or a stream
 * @param key encrypts it; null: it is not encrypted
 * @throws NoBackup with what to do
 */
export async function makeBackup(places: Places, to: string | Writable, key: string | null): Promise<Made> {
  const target = typeof to === 'string' ? resolve(to) : null
  const [beside, pinsBeside] = [target ?? join(places.dataDir, 'backup'), join(places.dataDir, 'backup-pins')]
  const random = randomBytes(6).toString('hex')
  const [work, pins] = [workFolder(beside, random), workFolder(pinsBeside, random)]
  await needDatabase(places)
  const room = (bytes: number) => needRoom(dirname(beside), bytes)
  await room(2 * (await stat(places.databasePath)).size)
  try {
    for (const path of [beside, pinsBeside]) await removeOldWork(path, Date.now())
    for (const path of [work, pins]) await mkdir(path, { mode: 0o700 })
    const copy = join(work, 'errand.db')
    const named = await copyAndPin(places, copy, pins)
    if (target !== null) await room(named.reduce((sum, { bytes }) => sum + bytes, (await stat(copy)).size))
    const sources = [
      { path: 'errand.db', from: copy, required: true },
      ...smallFiles(places),
      ...artifactFiles(places, named, pins),
    ]
    const about = { createdAt: new Date().toISOString(), version: await ownVersion(), secretKey: placeOfKey(places) }
    if (typeof to !== 'string' || target === null)
      return { manifest: await writeArchive(sources, about, key, to as Writable), bytes: 0 }
    return await writeFile(target, (out) => writeArchive(sources, about, key, out))
  } catch (error) {
    throw explainTarget(target, error) ?? explainFault(places.databasePath, error) ?? error
  } finally {
    for (const path of [work, pins]) await rm(path, { recursive: true, force: true })
  }
}

/** @returns the files that the copy names; they cannot vanish any more */
async function copyAndPin({ dataDir, databasePath }: Places, copy: string, pins: string): Promise<Named> {
  const folder = join(dataDir, 'artifacts')
  pinFiles(folder, pins)
  await copyDatabase(databasePath, copy)
  pinFiles(folder, pins)
  const damage = findDamage(copy, 'quick')
  if (damage !== null) throw new NoBackup(`The database ${databasePath} is damaged: ${damage}. Restore an earlier backup.`)
  const db = openToRead(copy)
  return listArtifacts(db).finally(() => db.destroy())
}

/** Under another name first, and on the disk before it gets its own. */
async function writeFile(target: string, write: (out: Writable) => Promise<Manifest>): Promise<Made> {
  const part = `${target}.part`
  await rm(part, { force: true })
  try {
    const file = await open(part, 'wx', 0o600)
    const manifest = await write(file.createWriteStream({ flush: true }))
    await chmod(part, 0o600)
    const { size } = await stat(part)
    await rename(part, target)
    const folder = await open(dirname(target))
    await folder.sync().finally(() => folder.close())
    return { manifest, bytes: size }
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function needDatabase({ databasePath }: Places): Promise<void> {
  await access(databasePath, constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new NoBackup(`There is no database at ${databasePath}. Name the server's data folder with ERRAND_DATA_DIR.`)
    throw new NoBackup(`${databasePath} cannot be read. Run this as the user that runs the server.`, { cause: error })
  })
}

/** Nobody knows how well the data packs: artifacts mostly are packed already. */
async function needRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder).catch((cause: Error) => {
    throw new NoBackup(`The folder ${folder} is not there. Make it first: mkdir -m 700 '${folder}'`, { cause })
  })
  if (bavail * bsize >= bytes) return
  throw new NoBackup(
    `There may not be room for the backup: it may need ${megabytes(bytes)}, and the disk of ${folder} has ${megabytes(bavail * bsize)} free. ` +
      'Free some space there, or write the backup to another disk.',
  )
}

function smallFiles({ dataDir, runnerTokenFile }: Places): Source[] {
  return SMALL_FILES.map((path) => ({
    path,
    from: path === 'runner-token' && runnerTokenFile !== null ? runnerTokenFile : join(dataDir, path),
    required: false,
  })).filter(({ from }) => existsSync(from))
}

type Named = Awaited<ReturnType<typeof listArtifacts>>

function artifactFiles({ dataDir }: Places, named: Named, pins: string): Source[] {
  return named.map((artifact) => {
    const name = fileNameOf(artifact)
    const pinned = join(pins, name)
    return { path: `artifacts/${name}`, from: existsSync(pinned) ? pinned : join(dataDir, 'artifacts', name), required: false }
  })
}

function placeOfKey({ dataDir, keyInEnvironment }: Places): Manifest['secretKey'] {
  if (keyInEnvironment) return 'environment'
  return existsSync(join(dataDir, 'secret-key')) ? 'here' : 'nowhere'
}

async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(ROOT_FOLDER, 'package.json'), 'utf8')) as { version: string }).version
}

/** @returns what is wrong with the place of the backup; null for any other fault */
function explainTarget(target: string | null, error: unknown): NoBackup | null {
  const { code = '', path = '' } = error as NodeJS.ErrnoException
  if (target === null || (path !== '' && !path.startsWith(target))) return null
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)$/.test(code))
    return new NoBackup(`The disk of ${target} is full. Free some space there, or write the backup to another disk.`, {
      cause: error,
    })
  if (/^(EACCES|EPERM|EROFS|ENOTDIR|EISDIR|ENOENT)$/.test(code))
    return new NoBackup(`${target} cannot be written (${code}). Name a file in a folder that this user may write to.`, {
      cause: error,
    })
  return null
}

export function megabytes(bytes: number): string {
  return bytes < 10_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.ceil(bytes / 1_000_000).toLocaleString('en')} MB`
}
