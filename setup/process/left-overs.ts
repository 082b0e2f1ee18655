import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RUNNER_STOP } from '../../contract/wire/deadlines.ts'
import { allPids, argumentsOf, folderOf, identityOf, leadsGroup, variablesOf } from './process-table.ts'

/**
 * Every process that a start keeps running has a variable in its environment that identifies it from its first moment. A pid file would not do:
 * a start that is killed in between would not have written it, and the system reuses pids.
 */
export const PARTS = ['redis', 'coordinator', 'runner'] as const
export type Part = (typeof PARTS)[number]
type LeftOver = Readonly<{ part: Part; pid: number; identity: string }>

/** How long each process may take for an orderly stop. */
export const GRACE_MS: Readonly<Record<Part, number>> = { redis: 20_000, coordinator: 20_000, runner: RUNNER_STOP.wholeMs }

/** How long the system may take to end a process after SIGKILL. */
const KILL_MS = 10_000

/** @param folder the data folder of a start, or the folder of a runner that runs on its own */
export function partVariable(part: Part, folder: string): Record<string, string> {
  return {
    PART_OF_ERRAND: `${part} ${realpathSync(folder)}`,
  }
}

/** @returns the processes that a killed start left on `folder`, in the order to end them: each before the ones it needs */
export function leftOvers(folder: string): LeftOver[] {
  const real = realpathSync(folder)
  const found = allPids().flatMap((pid) => {
    const part = partOf(pid, real)
    return part && leadsGroup(pid) ? [{ part, pid, identity: identityOf(pid) }] : []
  })
  return found.sort((a, b) => PARTS.indexOf(b.part) - PARTS.indexOf(a.part))
}

/** Ends the processes one after another: SIGTERM, so that the runner leaves its sandboxes to the next one, then SIGKILL after the grace period. */
export async function endLeftOvers(found: readonly LeftOver[], graceMs = GRACE_MS): Promise<void> {
  for (const leftOver of found) {
    send(leftOver, 'SIGTERM')
    const deadline = performance.now() + graceMs[leftOver.part]
    while (runs(leftOver)) {
      const lateMs = performance.now() - deadline
      if (lateMs > KILL_MS)
        throw new Error(`The ${leftOver.part} of an earlier start (pid ${leftOver.pid}) does not end, even after SIGKILL.`)
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
    // It may have just ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function partOf(pid: number, folder: string): Part | null {
  const variables = variablesOf(pid)
  const part = PARTS.find((name) => variables.includes(`PART_OF_ERRAND=${name} ${folder}`))
  if (part) return part
  // Redis overwrites its environment with its title. But no other Redis works in this folder.
  return isRedis(argumentsOf(pid)[0] ?? '') && folderOf(pid) === join(folder, 'redis') ? 'redis' : null
}

function isRedis(title: string): boolean {
  return /(^|\/)(redis|valkey)-server\b/.test(title)
}
