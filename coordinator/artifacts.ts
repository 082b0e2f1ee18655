import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LIMITS } from '../contract/limits.ts'
import type { ArtifactKind } from '../contract/sandbox.ts'
import { Refusal } from './errors.ts'
import { newestArtifact, putArtifact } from './store/artifacts.ts'
import { findAttempt } from './store/attempts.ts'
import type { Store } from './store/database.ts'

/** Bytes that outlive a sandbox, kept as files in the data folder. */
export type Artifacts = {
  /**
   * Takes the whole stream or nothing of it.
   * @throws Refusal `conflict` when the attempt is not the current one of its task, `too_large` above the limit
   */
  save: (taskId: string, attempt: number, kind: ArtifactKind, content: Readable) => Promise<void>
  /** The newest attempt's, or null when there is none. */
  open: (taskId: string, kind: ArtifactKind) => Promise<Readable | null>
}

export const createArtifacts = (db: Store, dataDir: string): Artifacts => {
  const folder = join(dataDir, 'artifacts')
  // Ids that come from a runner reach the disk only after the store knew them.
  const fileOf = (taskId: string, attempt: number, kind: ArtifactKind) => join(folder, `${taskId}-${attempt}.${kind}`)
  const checkCurrent = async (taskId: string, attempt: number) => {
    const row = await findAttempt(db, taskId, attempt)
    if (row?.ended_at !== null) throw new Refusal('conflict', 'This attempt is not the current one of its task.')
  }

  return {
    save: async (taskId, attempt, kind, content) => {
      await checkCurrent(taskId, attempt)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const part = join(folder, `${randomUUID()}.part`)
      try {
        const bytes = await write(part, content)
        await checkCurrent(taskId, attempt)
        await rename(part, fileOf(taskId, attempt, kind))
        await putArtifact(db, taskId, attempt, kind, bytes)
      } finally {
        await rm(part, { force: true })
      }
    },
    open: async (taskId, kind) => {
      const attempt = await newestArtifact(db, taskId, kind)
      return attempt === null ? null : (await open(fileOf(taskId, attempt, kind))).createReadStream()
    },
  }
}

/** @returns how many bytes there were, all of them on the disk */
const write = async (path: string, content: Readable): Promise<number> => {
  let bytes = 0
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > LIMITS.artifactBytes) done(new Refusal('too_large', `More than ${LIMITS.artifactBytes} bytes.`))
      else done(null, chunk)
    },
  })
  await pipeline(content, bounded, createWriteStream(path, { mode: 0o600, flags: 'wx', flush: true }))
  return bytes
}
