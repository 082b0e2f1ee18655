import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { allPids, argumentsOf, folderOf, identityOf, leadsGroup, variablesOf } from './process-table.ts'

/**
 * Each process that a start keeps running is told from all others by a variable in its environment, which is there from its first moment:
 * a pid that was noted afterwards would be missing when the start is killed in between, and the system gives out pids anew.
 */
export const PARTS = ['redis', 'coordinator', 'runner'] as const
export type Part = (typeof PARTS)[number]
type LeftOver = Readonly<{ part: Part; pid: number; identity: string }>

/** How long each may take to end in order. */
export const GRACE_MS: Readonly<Record<Part, number>> = { redis: 20_000, coordinator: 20_000, runner: 30_000 }

/** How long the system may take to end a process by SIGKILL. */
const KILL_MS = 10_000

/** @param folder the data folder of a start, or the folder of a runner that was started on its own */
export function partVariable(part: Part, folder: string): Record<string, string> {
  return {
    PART_OF_ERRAND: `${part} ${realpathSync(folder)}`,
  }
}

/** @returns what a killed start left running on `folder`, in the order in which it is to be ended: each before what it needs */
export function leftOvers(folder: string): LeftOver[] {
  const real = realpathSync(folder)
  const found = allPids().flatMap((pid) => {
    const part = partOf(pid, real)
    return part && leadsGroup(pid) ? [{ part, pid, identity: identityOf(pid) }] : []
  })
  return found.sort((a, b) => PARTS.indexOf(b.part) - PARTS.indexOf(a.part))
}

/** Ends them one after the other: SIGTERM, so that the runner lets its agents save their work, and SIGKILL after the grace. */
export async function endLeftOvers(found: readonly LeftOver[], graceMs = GRACE_MS): Promise<void> {
  for (const leftOver of found) {
    send(leftOver, 'SIGTERM')
    const deadline = performance.now() + graceMs[leftOver.part]
    while (runs(leftOver)) {
      const lateMs = performance.now() - deadline
      if (lateMs > KILL_MS)
        throw new Error(`An earlier start's ${leftOver.part} (pid ${leftOver.pid}) cannot be ended, not by SIGKILL.`)
      if (lateMs > 0) send(leftOver, 'SIGKILL')
      await sleep(50)
    }
  }
}

function runs({ pid, identity }: LeftOver): boolean {
  return identityOf(pid) === identity
}

function send(leftOver: LeftOver, signal: NodeJS.Signals): void {
  try {
    if (runs(leftOver)) process.kill(leftOver.pid, signal)
  } catch (error) {
    // It may end in this very moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function partOf(pid: number, folder: string): Part | null {
  const variables = variablesOf(pid)
  const part = PARTS.find((name) => variables.includes(`PART_OF_ERRAND=${name} ${folder}`))
  if (part) return part
  // A Redis writes its title over its environment; but nobody else's works in this folder.
  return isRedis(argumentsOf(pid)[0] ?? '') && folderOf(pid) === join(folder, 'redis') ? 'redis' : null
}

function isRedis(title: string): boolean {
  return /(^|\/)(redis|valkey)-server\b/.test(title)
}
