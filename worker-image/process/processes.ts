import { readdir, readFile } from 'node:fs/promises'
import { pause } from './waiting.ts'

/** Every process of a run has this variable, so that one that left its group is still found. */
export const MARKER = 'ERRAND_RUN'

/** Ends a process group: TERM, and KILL for the processes that are left after `graceMs`. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  signalGroup(group, 'SIGTERM')
  const deadline = performance.now() + graceMs
  while (groupLives(group) && performance.now() < deadline) await pause(20)
  signalGroup(group, 'SIGKILL')
}

/**
 * Kills every process of this user whose environment has the marker with this value. Repeats until there are none: a process that is just
 * starting shows no environment for a moment, and may have started others before it was killed.
 * @returns how many there were
 */
export async function sweep(marker: string): Promise<number> {
  const ended = new Set<number>()
  for (let quiet = 0, passes = 0; quiet < 2 && passes < 20; passes++) {
    const found = await carriersOf(`${MARKER}=${marker}`)
    for (const id of found) if (signal(id, 'SIGKILL')) ended.add(id)
    quiet = found.length === 0 ? quiet + 1 : 0
    await pause(20)
  }
  return ended.size
}

async function carriersOf(variable: string): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const carries = await Promise.all(ids.map(async (id) => (await environmentOf(id)).split('\0').includes(variable)))
  return ids.filter((id, index) => carries[index] && id !== process.pid)
}

function groupLives(group: number): boolean {
  return signal(-group, 0)
}
function signalGroup(group: number, name: NodeJS.Signals) {
  return signal(-group, name)
}

/** @returns false when the process or group is gone */
function signal(id: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(id, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Empty for a process that is gone, or belongs to another user. */
async function environmentOf(id: number): Promise<string> {
  try {
    return await readFile(`/proc/${id}/environ`, 'latin1')
  } catch {
    return ''
  }
}
