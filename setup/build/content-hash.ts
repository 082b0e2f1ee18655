import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/**
 * @param ingredients files and folders below `root`; a missing one counts as empty
 * @param first a line with whatever else matters
 * @returns 12 hex digits: a hash over the paths and contents of all files
 */
export async function contentHash(root: string, ingredients: readonly string[], first: string): Promise<string> {
  const hash = createHash('sha256').update(`${first}\n`)
  for (const file of await filesOf(root, ingredients)) {
    const content = await readFile(join(root, file))
    hash.update(`${file.split(sep).join('/')} ${content.length}\n`).update(content)
  }
  return hash.digest('hex').slice(0, 12)
}

async function filesOf(root: string, ingredients: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const ingredient of ingredients) {
    const path = join(root, ingredient)
    if (!existsSync(path)) continue
    const inside = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return null
      throw error
    })
    if (inside === null) files.push(ingredient)
    else for (const entry of inside) if (entry.isFile()) files.push(relative(root, join(entry.parentPath, entry.name)))
  }
  return files.sort()
}
