import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** @returns every file below a folder with its mode and a hash of its bytes, to be compared: whether anything was changed */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    const about = await lstat(path)
    const hash = about.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'no file'
    found[name] = `${(about.mode & 0o777).toString(8)} ${hash}`
  }
  return found
}
