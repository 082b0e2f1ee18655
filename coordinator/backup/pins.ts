import { linkSync, readdirSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Codes of file systems without hard links. */
const NO_LINKS = /^(EPERM|EXDEV|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/

/**
 * Gives every file of a folder a second name, so that its content stays until the backup has it: a newer conversation replaces the one
 * before, and its file is removed. To be called before and after the database is copied. A file that was pinned before stays as it was.
 * Where the file system has no hard links, this does nothing.
 */
export function pinFiles(folder: string, into: string): void {
  for (const name of namesIn(folder)) {
    try {
      linkSync(join(folder, name), join(into, name))
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (NO_LINKS.test(code)) return
      if (code !== 'EEXIST' && code !== 'ENOENT') throw error
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.endsWith('.part'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** A backup takes less time. */
const OLD_MS = 24 * 60 * 60_000
const WORK = /\.[0-9a-f]{12}\.tmp$/

/** The name of a folder for the parts of one backup, beside what they are parts of. @param random 12 hex digits */
export function workFolder(beside: string, random: string): string {
  return `${beside}.${random}.tmp`
}

/** Removes the folders that backups left which were killed. */
export async function removeOldWork(beside: string, now: number): Promise<void> {
  const folder = dirname(beside)
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(beside)}.`) || !WORK.test(name)) continue
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
    if (now - mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true })
  }
}
