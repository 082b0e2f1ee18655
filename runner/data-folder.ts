import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type DataFolder = {
  /** Stable over restarts: it is how this runner knows its containers again. */
  runnerId: string
  spoolDirectory: string
  doorsDirectory: string
}

/** Longest path that the kernel takes for a unix socket, bytes. */
const SOCKET_PATH_BYTES = 107
const DOOR = '/0123456789ab/door.sock'

/**
 * Makes the runner's folder ready; old doors are gone afterwards.
 * @throws Error with what to do when a socket's path in it would be too long
 */
export const openDataFolder = async (path: string): Promise<DataFolder> => {
  const doorsDirectory = join(path, 'doors')
  if (Buffer.byteLength(doorsDirectory + DOOR) > SOCKET_PATH_BYTES)
    throw new Error(
      `RUNNER_DATA_DIR is too long for the unix sockets in it (${path}). Set it to a path of at most 77 characters.`,
    )
  const spoolDirectory = join(path, 'spool')
  await rm(doorsDirectory, { recursive: true, force: true })
  for (const directory of [path, spoolDirectory, doorsDirectory]) await mkdir(directory, { recursive: true, mode: 0o700 })
  return { runnerId: await keptId(join(path, 'runner-id')), spoolDirectory, doorsDirectory }
}

const keptId = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const id = randomBytes(8).toString('hex')
    await writeFile(path, `${id}\n`, { mode: 0o600 })
    return id
  }
}
