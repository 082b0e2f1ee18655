import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A secret that the server made itself and keeps in a file that only its own user may read (mode 600).
 * @param make called when there is no such file; of two processes that start at once, both get the one that was kept
 */
export async function readOrKeep(path: string, make: () => string): Promise<string> {
  return (await readKept(path)) ?? (await keepFirst(path, make()))
}

/** @returns the file's text without the line's end; null when there is none */
export async function readKept(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw new Error(`Cannot read ${path}. The server's own user must be able to read and write it.`, { cause: error })
  }
}

/** Writes the file whole or not at all, in the place of any that was there. */
export async function replaceKept(path: string, text: string): Promise<void> {
  return rename(await writeBeside(path, text), path)
}

/** `link` refuses an existing name, so that a half-written file is never seen and the first writer wins. */
async function keepFirst(path: string, text: string): Promise<string> {
  const beside = await writeBeside(path, text)
  try {
    await link(beside, path)
    await keepName(path)
    return text
  } catch (error) {
    const kept = isCode(error, 'EEXIST') ? await readKept(path) : null
    if (kept === null) throw error
    return kept
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

/** Secrets in the store are worthless without the key in such a file: a power cut must not lose the file and leave them. */
async function keepName(path: string): Promise<void> {
  const folder = await open(dirname(path))
  await folder.sync().finally(() => folder.close())
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
