import { readdirSync, readFileSync } from 'node:fs'
import { HANDS_UID } from '../../contract/wire/names.ts'
import { pause } from './waiting.ts'

/** Every process of a run has this variable, unless it changed its environment. It tells the run's processes from others where they are no user of their own. */
export const MARKER = 'ERRAND_RUN'

/** Every process of a background command has this variable, unless it changed its environment. */
export const BACKGROUND = 'ERRAND_BACKGROUND'

/** Ends a process group: TERM, and KILL for the processes that are left after `graceMs`. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  signalGroup(group, 'SIGTERM')
  const deadline = performance.now() + graceMs
  while (groupLives(group) && performance.now() < deadline) await pause(20)
  signalGroup(group, 'SIGKILL')
}

/**
 * Kills what commands left running, whatever it did to its environment or its session: in a sandbox, every process of the hands but the
 * caller. Repeats until there is none, because a process may start others until it is killed.
 * @param run tells the processes of a run on a machine where the hands are no user of their own
 * @param kept ids of the background commands that stay
 * @returns how many there were
 */
export async function endLeftovers(run: string, kept: readonly string[] = []): Promise<number> {
  const ended = new Set<number>()
  for (let quiet = 0, passes = 0; quiet < 2 && passes < 20; passes++) {
    const found = leftovers(run, kept)
    if (kept.length === 0 && found.length > 0 && isHands()) killAllOfOurs()
    for (const { id } of found) {
      signal(id, 'SIGKILL')
      ended.add(id)
    }
    quiet = found.length === 0 ? quiet + 1 : 0
    if (found.length > 0) await pause(20)
  }
  return ended.size
}

function isHands(): boolean {
  return process.getuid?.() === HANDS_UID
}

/** In one call of the kernel, so that no fork can escape it. Danger: anywhere but as the hands' user it would end whatever its caller may signal. */
function killAllOfOurs(): void {
  signal(-1, 'SIGKILL')
}

type Found = { id: number; parent: number; session: number; environment: readonly string[] }

function leftovers(run: string, kept: readonly string[]): Found[] {
  const all = ourProcesses(run)
  const stay = new Set<number>()
  const belongs = ({ parent, session, environment }: Found) =>
    stay.has(parent) || stay.has(session) || kept.some((id) => environment.includes(`${BACKGROUND}=${id}`))
  // A child may be listed before its parent.
  for (let before = -1; kept.length > 0 && stay.size > before; ) {
    before = stay.size
    for (const one of all) if (belongs(one)) stay.add(one.id)
  }
  return all.filter(({ id }) => !stay.has(id))
}

/** The kernel answers from memory, so that waiting for it would take longer than its answer. */
function ourProcesses(run: string): Found[] {
  const ids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const found = ids.filter((id) => id !== process.pid).map(look)
  const ours = isHands() ? () => true : ({ environment }: Found) => environment.includes(`${MARKER}=${run}`)
  return found.filter((one) => one !== null).filter(ours)
}

/** Null for a process that is over, or belongs to another user. */
function look(id: number): Found | null {
  try {
    // Not the owner of /proc/<id>: that is root for a process that made itself undumpable.
    const status = readFileSync(`/proc/${id}/status`, 'latin1')
    const numberAt = (field: string) => Number(new RegExp(`^${field}:.*?(\\d+)$`, 'm').exec(status)?.[1])
    const isOurs = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) === process.getuid?.()
    if (!isOurs || /^State:\t[ZX]/m.test(status)) return null
    return { id, parent: numberAt('PPid'), session: numberAt('NSsid'), environment: environmentOf(id) }
  } catch {
    return null
  }
}

/** Empty for a process that made itself undumpable. */
function environmentOf(id: number): string[] {
  try {
    return readFileSync(`/proc/${id}/environ`, 'latin1').split('\0')
  } catch {
    return []
  }
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
