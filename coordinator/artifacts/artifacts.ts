import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type ArtifactKind, maxBytesOf } from '../../contract/wire/sandbox.ts'
import { Refusal } from '../process/errors.ts'
import { hasArtifact, newestArtifact, newestOf, putArtifact } from '../store/artifacts.ts'
import { findAttempt } from '../store/attempts.ts'
import type { Store } from '../store/sqlite/database.ts'

type Kinds = readonly [ArtifactKind, ...ArtifactKind[]]

/** Files in the data folder that outlive their sandbox. */
export type Artifacts = {
  /**
   * Stores the whole stream or nothing.
   * @throws Refusal `conflict` if the attempt is not the current one of its task, unless this is a bundle that its runner could not bring
   * earlier; `too_large` above the limit
   */
  save: (taskId: string, attempt: number, kind: ArtifactKind, content: Readable) => Promise<void>
  /**
   * Opens the newest one, for an attempt that continues with it.
   * @throws Refusal `conflict` if the attempt is not the current one of its task, `not_found` when there is none
   */
  openFor: (taskId: string, attempt: number, kind: ArtifactKind) => Promise<Readable>
  /** Opens the newest one of these kinds, of one turn or of the whole task; null when there is none. The first kind wins within an attempt. */
  open: (taskId: string, kinds: Kinds, turn?: number) => Promise<{ kind: ArtifactKind; content: Readable } | null>
  /** The path of the newest one, for readers of parts of it. */
  locate: (taskId: string, kind: ArtifactKind) => Promise<string | null>
}

/** A file that is still arriving has a random name; the name of a stored one begins with its task. */
function partName() {
  return `${randomUUID()}.part`
}
const IS_PART = /^[0-9a-f-]{36}\.part$/

/** Removes the half-written files of a killed server, so nothing else may write there. */
export async function createArtifacts(db: Store, dataDir: string): Promise<Artifacts> {
  const folder = join(dataDir, 'artifacts')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) if (IS_PART.test(name)) await rm(join(folder, name), { force: true })
  // An id that comes from a runner becomes part of a path only after the store has found it.
  const fileOf = (taskId: string, attempt: number, kind: ArtifactKind) => join(folder, `${taskId}-${attempt}.${kind}`)
  const checkCurrent = async (taskId: string, attempt: number) => {
    const row = await findAttempt(db, taskId, attempt)
    if (row?.ended_at !== null) throw new Refusal('conflict', 'This is not the current attempt of the task.')
  }

  /** The last copy of the work may arrive late if this server was away when its attempt ended. It replaces no other artifact. */
  const checkBundle = async (taskId: string, attempt: number) => {
    const row = await findAttempt(db, taskId, attempt)
    const wasStopped = row?.outcome === 'interrupted' || row?.outcome === 'cancelled'
    if (!wasStopped || (await hasArtifact(db, taskId, attempt, 'bundle'))) await checkCurrent(taskId, attempt)
  }

  const openNewest: Artifacts['open'] = async (taskId, kinds, turn) => {
    const newest = await newestOf(db, taskId, kinds, turn)
    const content = newest && (await openFile(fileOf(taskId, newest.attempt, newest.kind)))
    return newest && content ? { kind: newest.kind, content } : null
  }

  return {
    save: async (taskId, attempt, kind, content) => {
      const check = kind === 'bundle' ? checkBundle : checkCurrent
      await check(taskId, attempt)
      const part = join(folder, partName())
      try {
        const bytes = await write(part, content, maxBytesOf(kind))
        await check(taskId, attempt)
        await rename(part, fileOf(taskId, attempt, kind))
        await putArtifact(db, taskId, attempt, kind, bytes)
      } finally {
        await rm(part, { force: true })
      }
    },
    openFor: async (taskId, attempt, kind) => {
      await checkCurrent(taskId, attempt)
      const found = await openNewest(taskId, [kind])
      if (!found) throw new Refusal('not_found', `This task has no ${kind}.`)
      return found.content
    },
    open: openNewest,
    locate: async (taskId, kind) => {
      const attempt = await newestArtifact(db, taskId, kind)
      return attempt === null ? null : fileOf(taskId, attempt, kind)
    },
  }
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

/** @returns the number of bytes, all of which are on the disk */
async function write(path: string, content: Readable, maxBytes: number): Promise<number> {
  let bytes = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBytes) done(new Refusal('too_large', `More than ${maxBytes} bytes.`))
      else done(null, chunk)
    },
  })
  // Opened first: otherwise content that breaks off immediately could create the file after its removal.
  const file = await open(path, 'wx', 0o600)
  await pipeline(content, bounded, file.createWriteStream({ flush: true }))
  return bytes
}
