import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { aptInstall, canApt } from './apt.mjs'

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

/**
 * Chromium, and on Debian also its headless shell: most tests draw their pages with it, in half of the processor time. Without the shell they use
 * Chromium itself.
 */
export async function needBrowser(): Promise<void> {
  await needTool(['chromium', 'chromium-browser', 'google-chrome'], ['chromium'])
  if (!isDebian() || !canApt()) return
  await needTool(['chromium-headless-shell'], ['chromium-headless-shell'])
}

function isDebian(): boolean {
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
