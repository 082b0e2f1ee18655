import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunnerIdentity } from '../../contract/wire/lease.ts'
import { RUNNER_FOLDER_BYTES } from '../../contract/wire/names.ts'

export type DataFolder = {
  /** Stable over restarts: the runner recognizes its containers by it. */
  runnerId: string
  spoolDirectory: string
  doorsDirectory: string
  /** The doors of earlier processes; a sandbox may still be behind one. */
  oldDoors: string[]
  keptDirectory: string
  patchesDirectory: string
}

/**
 * Prepares the runner's folder.
 * @throws Error with what to do when a socket's path in it would be too long, or it cannot be written
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const doorsDirectory = join(path, 'doors')
  if (Buffer.byteLength(path) > RUNNER_FOLDER_BYTES)
    throw new Error(
      `RUNNER_DATA_DIR is too long for the unix sockets in it (${path}). Set it to a path of at most ${RUNNER_FOLDER_BYTES} characters.`,
    )
  const spoolDirectory = join(path, 'spool')
  try {
    for (const directory of [path, spoolDirectory, doorsDirectory]) await mkdir(directory, { recursive: true, mode: 0o700 })
    return {
      runnerId: await readOrCreateId(join(path, 'runner-id')),
      spoolDirectory,
      doorsDirectory,
      oldDoors: (await readdir(doorsDirectory)).map((name) => join(doorsDirectory, name)),
      keptDirectory: join(path, 'kept'),
      patchesDirectory: join(path, 'patches'),
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `The runner's folder ${path} cannot be used (${why}). Free some space or make it writable, or set RUNNER_DATA_DIR to another.`,
      { cause },
    )
  }
}

async function readOrCreateId(path: string): Promise<string> {
  const stored = RunnerIdentity.shape.id.safeParse((await readIfThere(path)).trim())
  if (stored.success) return stored.data
  const id = randomBytes(8).toString('hex')
  // Written whole or not at all: a full disk leaves an empty file, which would never become an id.
  await writeFile(`${path}.part`, `${id}\n`, { mode: 0o600, flush: true })
  await rename(`${path}.part`, path)
  return id
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return ''
  }
}
