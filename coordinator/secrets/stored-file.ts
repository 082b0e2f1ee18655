import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Reads a secret that the server made for itself, from a file that only the server's own user may read (mode 600).
 * @param make called when there is no such file; two processes that start at once both get the one that was stored first
 */
export async function readOrStore(path: string, make: () => string): Promise<string> {
  return (await readStored(path)) ?? (await storeFirst(path, make()))
}

/** @returns the text of the file without its line break; null when there is no file */
export async function readStored(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw new Error(`Cannot read ${path}. The server's own user must be able to read and write it.`, { cause: error })
  }
}

/** Replaces the file, whole or not at all. */
export async function replaceStored(path: string, text: string): Promise<void> {
  return rename(await writeBeside(path, text), path)
}

/** `link` refuses an existing name, so nobody sees a half-written file and the first writer wins. */
async function storeFirst(path: string, text: string): Promise<string> {
  const beside = await writeBeside(path, text)
  try {
    await link(beside, path)
    await syncFolder(path)
    return text
  } catch (error) {
    const stored = isCode(error, 'EEXIST') ? await readStored(path) : null
    if (stored === null) throw error
    return stored
  } finally {
    await unlink(beside)
  }
}

async function writeBeside(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(beside, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true })
  return beside
}

/** A power cut must not lose the file: without the key in it, the secrets in the store are worthless. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path))
  await folder.sync().finally(() => folder.close())
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
