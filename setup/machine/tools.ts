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
 * @param names any one of these commands will do
 * @param packages what has it on Debian and Ubuntu
 * @throws Error with the command to type when it is absent and may not be installed
 */
export async function needTool(names: readonly string[], packages: readonly string[]): Promise<string> {
  const found = findTool(names)
  if (found) return found
  await aptInstall(packages)
  const installed = findTool(names)
  if (installed) return installed
  throw new Error(
    `${names[0]} is not on PATH although ${packages.join(', ')} is installed. Put its folder into PATH, and start again.`,
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
