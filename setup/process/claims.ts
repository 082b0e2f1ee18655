import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf } from './process-table.ts'

/**
 * Which processes hold something: in its folder each has a file of its own, named by its pid, with what tells it from another process
 * of that pid. So nobody ever takes another's file away, and one that a killed process left counts no more. Whoever claims first and
 * looks then cannot miss another.
 */
export type Claim = Readonly<{
  /** Of the other living holders. */
  others: () => number[]
  release: () => void
}>

export function claim(folder: string): Claim {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, String(process.pid))
  // Whole at once: half of it would look like a dead process's.
  writeFileSync(`${file}.new`, identityOf(process.pid), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return { others: () => holders(folder).filter((pid) => pid !== process.pid), release: () => rmSync(file, { force: true }) }
}

/** @returns the pids of the living */
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
