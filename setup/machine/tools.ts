import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { aptInstall } from './apt.mjs'

/** @returns the full path of the first of `names` that is on PATH, or null */
export function findTool(names: readonly string[], path = process.env.PATH ?? ''): string | null {
  for (const name of names)
    for (const folder of path.split(delimiter)) {
      const file = join(folder, name)
      if (folder && isExecutable(file)) return file
    }
  return null
}

/**
 * @param names any one of these commands is enough
 * @param packages the packages that contain it on Debian and Ubuntu
 * @throws Error with the command to type if it is missing and cannot be installed
 */
export async function needTool(names: readonly string[], packages: readonly string[]): Promise<string> {
  const found = findTool(names)
  if (found) return found
  await aptInstall(packages)
  const installed = findTool(names)
  if (installed) return installed
  throw new Error(
    `${names[0]} is not on PATH although ${packages.join(', ')} is installed. Add its folder to PATH and start again.`,
  )
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
