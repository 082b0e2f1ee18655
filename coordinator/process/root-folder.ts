import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the repository: the nearest one above with a package.json. This code runs from its own file or from one below `dist/`. */
export const ROOT_FOLDER = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const above = dirname(folder)
  if (above === folder)
    throw new Error(`No package.json above ${import.meta.dirname}: Errand's files are not complete. Install it again.`)
  return findRoot(above)
}
