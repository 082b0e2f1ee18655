import { randomUUID } from 'node:crypto'
import { renameSync } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ArtifactKind, type Behind, isOutput, maxBytesOf } from '../../contract/wire/sandbox.ts'
import type { Config } from '../process/config.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { Refusal } from '../process/errors.ts'
import { type ArtifactId, deleteSuperseded, hasArtifact, newestArtifact, newestOf, putArtifact } from '../store/artifacts.ts'
import { findAttempt } from '../store/attempts.ts'
import type { Store } from '../store/sqlite/database.ts'
import { isDiskFull } from '../store/sqlite/unusable-database.ts'
import { contentBehind } from './behind.ts'
import { createQuotas } from './quotas.ts'
import { fileNameOf, sweepFolder } from './sweep.ts'

type Kinds = readonly [ArtifactKind, ...ArtifactKind[]]

/** Files in the data folder that outlive their sandbox. A row in the store names each; a file without one is garbage. */
export type Artifacts = {
  /**
   * Stores the whole stream or nothing, and removes what nobody reads any more because of it.
   * @throws Refusal `conflict` if the attempt is not the current one of its task, unless this is a bundle that its runner could not bring
   * earlier, or if the content does not fit behind what is stored; `too_large` above the limit or a quota; `unavailable` if the disk has no room
   * @param behind the content is only the end of the artifact; absent: all of it
   */
  save: (taskId: string, attempt: number, kind: ArtifactKind, content: Readable, behind?: Behind) => Promise<void>
  /**
   * Opens the newest one of these kinds, for an attempt that continues with it.
   * @throws Refusal `conflict` if the attempt is not the current one of its task, `not_found` when there is none
   */
  openFor: (taskId: string, attempt: number, kinds: Kinds) => Promise<Readable>
  /** Opens the newest one of these kinds, of one turn or of the whole task; null when there is none. The first kind wins within an attempt. */
  open: (taskId: string, kinds: Kinds, turn?: number) => Promise<{ kind: ArtifactKind; content: Readable } | null>
  /** The path of the newest one, for readers of parts of it. */
  locate: (taskId: string, kind: ArtifactKind) => Promise<string | null>
  /** Removes files whose rows were deleted. A failure leaves them to the next sweep. */
  removeFiles: (artifacts: readonly ArtifactId[]) => Promise<void>
  /** Removes every file without a row: a process that was killed had deleted the row, or not stored it yet. @returns how many */
  sweep: () => Promise<number>
}

export type ArtifactsOptions = { db: Store; dataDir: string; limits: Config['storage']; disk: DiskSpace }

/** A file that is still arriving has a random name; the name of a stored one begins with its task. */
function partName() {
  return `${randomUUID()}.part`
}
const IS_PART = /^[0-9a-f-]{36}\.part$/

/** Removes the half-written files of a killed server, so nothing else may write there. */
export async function createArtifacts({ db, dataDir, limits, disk }: ArtifactsOptions): Promise<Artifacts> {
  const folder = join(dataDir, 'artifacts')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) if (IS_PART.test(name)) await rm(join(folder, name), { force: true })
  const quotas = createQuotas(db, limits)
  /** Names of files that may be there before their row is. */
  const arriving = new Set<string>()
  // An id that comes from a runner becomes part of a path only after the store has found it.
  const fileOf: FileOf = (artifact) => join(folder, fileNameOf(artifact))
  const removeFiles: Artifacts['removeFiles'] = async (artifacts) => {
    for (const artifact of artifacts) await rm(fileOf(artifact), { force: true }).catch(() => undefined)
  }

  const openNewest: Artifacts['open'] = (taskId, kinds, turn) => openNewestOf(db, fileOf, taskId, kinds, turn)
  return {
    save: async (taskId, attempt, kind, content, behind) => {
      const artifact = { taskId, attempt, kind }
      await checkWelcome(db, artifact)
      if (isOutput(kind) && (await disk.look()).low) throw new Refusal('unavailable', NO_ROOM)
      const arrival = await quotas.admit(artifact)
      const part = join(folder, partName())
      try {
        const whole = behind ? contentBehind(() => openFile(fileOf(artifact)), behind, content) : content
        const bytes = await write(part, whole, maxBytesOf(kind), arrival.take)
        await removeFiles(await storeArtifact({ db, fileOf, arriving }, artifact, { part, bytes, confirm: arrival.confirm }))
      } catch (error) {
        throw isDiskFull(error) ? new Refusal('unavailable', NO_ROOM, undefined, { cause: error }) : error
      } finally {
        arrival.leave()
        await rm(part, { force: true })
      }
    },
    openFor: async (taskId, attempt, kinds) => {
      await checkCurrent(db, taskId, attempt)
      const found = await openNewest(taskId, kinds)
      if (!found) throw new Refusal('not_found', `This task has no ${kinds[0]}.`)
      return found.content
    },
    open: openNewest,
    locate: async (taskId, kind) => {
      const attempt = await newestArtifact(db, taskId, kind)
      return attempt === null ? null : fileOf({ taskId, attempt, kind })
    },
    removeFiles,
    sweep: () => sweepFolder(db, folder, arriving),
  }
}

const NO_ROOM = 'The disk of this server is almost full, so it stores no more outputs. Its administrator must free some space.'

/** @throws Refusal `conflict` if this artifact is not to be stored (any more) */
async function checkWelcome(db: Store, artifact: ArtifactId): Promise<void> {
  if (artifact.kind !== 'bundle') return checkCurrent(db, artifact.taskId, artifact.attempt)
  // The last copy of the work may arrive late if this server was away when its attempt ended. It replaces no other artifact.
  const row = await findAttempt(db, artifact.taskId, artifact.attempt)
  const wasStopped = row?.outcome === 'interrupted' || row?.outcome === 'cancelled'
  if (!wasStopped || (await hasArtifact(db, artifact))) await checkCurrent(db, artifact.taskId, artifact.attempt)
}

async function checkCurrent(db: Store, taskId: string, attempt: number): Promise<void> {
  const row = await findAttempt(db, taskId, attempt)
  if (row?.ended_at !== null) throw new Refusal('conflict', 'This is not the current attempt of the task.')
}

type FileOf = (artifact: ArtifactId) => string
type Place = { db: Store; fileOf: FileOf; arriving: Set<string> }
type Written = { part: string; bytes: number; confirm: (tx: Store) => Promise<void> }

/**
 * Row and name change together. A crash between the two leaves a file without a row, which the sweep removes.
 * @returns what is superseded: the rows are gone, the files are still there
 */
async function storeArtifact({ db, fileOf, arriving }: Place, artifact: ArtifactId, { part, bytes, confirm }: Written) {
  const name = fileNameOf(artifact)
  arriving.add(name)
  try {
    return await db.transaction().execute(async (tx) => {
      await checkWelcome(tx, artifact)
      await confirm(tx)
      await putArtifact(tx, artifact, bytes)
      const superseded = await deleteSuperseded(tx, artifact)
      renameSync(part, fileOf(artifact))
      return superseded
    })
  } finally {
    arriving.delete(name)
  }
}

async function openNewestOf(db: Store, fileOf: FileOf, taskId: string, kinds: Kinds, turn?: number) {
  const newest = await newestOf(db, taskId, kinds, turn)
  if (!newest) return null
  const content = await openFile(fileOf({ taskId, ...newest }))
  if (content) return { kind: newest.kind, content }
  // A newer one may have replaced it just now.
  const now = await newestOf(db, taskId, kinds, turn)
  const again = now && now.attempt !== newest.attempt ? await openFile(fileOf({ taskId, ...now })) : null
  return now && again ? { kind: now.kind, content: again } : null
}

/** @returns null if the file is gone: a restored backup may contain only the database */
async function openFile(path: string): Promise<Readable | null> {
  try {
    return (await open(path)).createReadStream()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/**
 * @param count is told of every chunk before it is written, and may throw
 * @returns the number of bytes, all of which are on the disk
 */
async function write(path: string, content: Readable, maxBytes: number, count: (bytes: number) => void): Promise<number> {
  let bytes = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        bytes += chunk.length
        if (bytes > maxBytes) throw new Refusal('too_large', `More than ${maxBytes} bytes.`)
        count(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  // Opened first: otherwise content that breaks off immediately could create the file after its removal.
  const file = await open(path, 'wx', 0o600)
  await pipeline(content, bounded, file.createWriteStream({ flush: true }))
  return bytes
}
