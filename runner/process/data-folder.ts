import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
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
  /** Lets another process have the folder. A process that dies does so too. */
  release: () => void
}

type Options = { path: string; waitMs?: number }

/** How long a start waits for the process before it, which is leaving. */
const HELD_WAIT_MS = 10_000
const LOOK_EVERY_MS = 100

/**
 * Prepares the runner's folder, and holds it: two processes in one folder would work on the same attempts.
 * @throws Error with what to do when another process holds it, a socket's path in it would be too long, or it cannot be written
 */
export async function openDataFolder({ path, waitMs = HELD_WAIT_MS }: Options): Promise<DataFolder> {
  const doorsDirectory = join(path, 'doors')
  if (Buffer.byteLength(path) > RUNNER_FOLDER_BYTES)
    throw new Error(
      `RUNNER_DATA_DIR is too long for the unix sockets in it (${path}). Set it to a path of at most ${RUNNER_FOLDER_BYTES} characters.`,
    )
  const spoolDirectory = join(path, 'spool')
  try {
    for (const directory of [path, spoolDirectory, doorsDirectory]) await mkdir(directory, { recursive: true, mode: 0o700 })
    const release = await hold(path, waitMs)
    return {
      runnerId: await readOrCreateId(join(path, 'runner-id')),
      spoolDirectory,
      doorsDirectory,
      oldDoors: (await readdir(doorsDirectory)).map((name) => join(doorsDirectory, name)),
      keptDirectory: join(path, 'kept'),
      patchesDirectory: join(path, 'patches'),
      release,
    }
  } catch (cause) {
    if (cause instanceof HeldByAnother) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(
      `The runner's folder ${path} cannot be used (${why}). Free some space or make it writable, or set RUNNER_DATA_DIR to another.`,
      { cause },
    )
  }
}

class HeldByAnother extends Error {}

/**
 * Listens on a socket in the folder. Its file stays behind when the process is killed, but then nobody listens on it; a process that is
 * stopped still holds it. @returns what ends this
 */
async function hold(folder: string, waitMs: number): Promise<() => void> {
  const path = join(folder, 'held.sock')
  const since = performance.now()
  for (;;) {
    const server = createServer((caller) => caller.destroy())
    if (await listens(server, path)) {
      server.unref()
      return () => void server.close()
    }
    if (!(await isAnswered(path))) await rm(path, { force: true })
    else if (performance.now() - since > waitMs)
      throw new HeldByAnother(
        `Another runner uses the folder ${folder}. Stop it first, or set RUNNER_DATA_DIR to another folder for this one.`,
      )
    else await pause(LOOK_EVERY_MS)
  }
}

/** @returns false when the socket's file is there already */
function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
    server.listen(path, () => resolve(true))
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = connect(path)
    asking.once('error', () => resolve(false))
    asking.once('connect', () => {
      asking.destroy()
      resolve(true)
    })
  })
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
