import { readdir, readFile } from 'node:fs/promises'
import { pause } from '../pause.ts'

/** Every process of a run carries this variable, so that one that left its group is found all the same. */
export const MARKER = 'ERRAND_RUN'

/** Ends a process group: TERM, and KILL for what is left after `graceMs`. */
export const endGroup = async (group: number, graceMs: number): Promise<void> => {
  signalGroup(group, 'SIGTERM')
  const deadline = performance.now() + graceMs
  while (groupLives(group) && performance.now() < deadline) await pause(20)
  signalGroup(group, 'SIGKILL')
}

/** Kills every process of this user whose environment holds the marker with this value. @returns how many there were */
export const sweep = async (marker: string): Promise<number> => {
  const wanted = `${MARKER}=${marker}`
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(ids.map(async (id) => (await environmentOf(id)).split('\0').includes(wanted)))
  const ours = ids.filter((id, index) => found[index] && id !== process.pid)
  for (const id of ours) signal(id, 'SIGKILL')
  return ours.length
}

const groupLives = (group: number): boolean => signal(-group, 0)
const signalGroup = (group: number, name: NodeJS.Signals) => signal(-group, name)

/** @returns false when there is nobody to signal any more */
const signal = (id: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(id, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Empty for a process that is gone, or not ours to look at. */
const environmentOf = async (id: number): Promise<string> => {
  try {
    return await readFile(`/proc/${id}/environ`, 'latin1')
  } catch {
    return ''
  }
}
