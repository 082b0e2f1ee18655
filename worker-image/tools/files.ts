import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** Tracks the files that the model has read, and whether they are unchanged on disk. */
export type Files = {
  /** @returns an absolute path; a relative one is below the repository */
  resolve: (path: string) => string
  /** @returns null when there is no such file. @throws Error in words for the model when it cannot be read */
  find: (path: string) => Promise<Buffer | null>
  /** Like `find`. @throws Error that names files near it when there is no such file */
  load: (path: string) => Promise<Buffer>
  /** The model has seen exactly these bytes. */
  remember: (path: string, bytes: Buffer) => void
  /** @returns why the model may not overwrite the file yet, or null */
  staleness: (path: string, bytes: Buffer) => string | null
  /**
   * Creates or replaces the file, all or nothing; keeps its mode, follows a link, creates folders.
   * @param options.seen whether the model knows all of the new content
   */
  save: (path: string, bytes: Buffer, options: { seen: boolean }) => Promise<void>
}

export function createFiles(root: string): Files {
  const seen = new Map<string, string>()
  const files: Files = {
    resolve: (path) => resolve(root, path),
    find,
    load: async (path) => {
      const bytes = await find(path)
      if (!bytes) throw new Error(`${path} does not exist.${await nearNames(path)}`)
      return bytes
    },
    remember: (path, bytes) => {
      seen.set(path, hash(bytes))
    },
    staleness: (path, bytes) => {
      const known = seen.get(path)
      if (known === undefined)
        return `Read ${path} first: only a file that you have read can be overwritten. To change a part of it, use edit.`
      return known === hash(bytes) ? null : `${path} has changed since you read it (perhaps by a command). Read it again first.`
    },
    save: async (path, bytes, { seen: known }) => {
      const target = await targetOf(path)
      await mkdir(dirname(target), { recursive: true })
      const beside = `${target}.${process.pid}.errand`
      await writeFile(beside, bytes)
      const mode = await modeOf(target)
      if (mode !== null) await chmod(beside, mode)
      await rename(beside, target)
      if (known) files.remember(path, bytes)
    },
  }
  return files
}

/** Larger files are left to commands: here they would be in memory several times. */
const MAX_BYTES = 50 * 1024 * 1024

async function find(path: string): Promise<Buffer | null> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new Error(`${path} is a directory; list it with bash: ls ${path}`)
    // A pipe or a device may never end.
    if (!found.isFile()) throw new Error(`${path} is not a regular file; use bash for it.`)
    if (found.size > MAX_BYTES)
      throw new Error(`${path} has ${found.size} bytes, which is too large for this tool; use bash for it.`)
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return path
  }
}

async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode & 0o7777
  } catch {
    return null
  }
}

async function nearNames(path: string): Promise<string> {
  try {
    const wanted = basename(path).toLowerCase()
    const stem = wanted.replace(/\.[^.]*$/, '')
    const names = (await readdir(dirname(path))).filter(
      (name) => name.toLowerCase().includes(stem) || wanted.includes(name.toLowerCase()),
    )
    const near = names.slice(0, 5).map((name) => join(dirname(path), name))
    return near.length > 0 ? ` Near it: ${near.join(', ')}.` : ''
  } catch {
    return ` The directory ${dirname(path)} does not exist either.`
  }
}
