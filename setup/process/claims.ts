import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf } from './process-table.ts'

/**
 * Records which processes use something. Each has its own file in a folder, named after its pid; the content tells it from any other process
 * with that pid. So nobody removes another's file, and the file of a killed process no longer counts. A process that first claims and
 * then looks cannot miss another one.
 */
export type Claim = Readonly<{
  /** The pids of the other living holders. */
  others: () => number[]
  release: () => void
}>

export function claim(folder: string): Claim {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, String(process.pid))
  // Written atomically: half a file would look like a dead process.
  writeFileSync(`${file}.new`, identityOf(process.pid), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return { others: () => holders(folder).filter((pid) => pid !== process.pid), release: () => rmSync(file, { force: true }) }
}

/** @returns the pids of the living holders */
export function holders(folder: string): number[] {
  return namesIn(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const identity = identityOf(pid)
      return identity !== '' && identity === readOrEmpty(join(folder, String(pid)))
    })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
