import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { COORDINATOR_AWAY_MS } from '../../contract/wire/deadlines.ts'
import type { Lease, RunnerIdentity } from '../../contract/wire/lease.ts'
import { AGENT_UID, DOOR, UNCONFIRMED } from '../../contract/wire/names.ts'
import { openDoorServer } from '../gateway/door-server.ts'
import { answer } from '../gateway/endpoint.ts'
import { type CoordinatorClient, CoordinatorFault } from '../lease/coordinator-client.ts'
import type { Spool } from '../river/spool.ts'
import type { FoundSandbox } from '../sandbox/sandbox.ts'

/** An attempt that an earlier process of this runner worked on when it ended. */
export type Orphan = {
  spool: Spool
  /** Null: that process was killed before it had started the sandbox. */
  sandbox: FoundSandbox | null
}

/**
 * Goes on with an attempt where an earlier process of this runner left it: asks for its lease again, and reads on from where the spool ends.
 * The sandbox meanwhile waits at its door.
 * @returns `done`: it went on, and is over or left again; `refused`: the attempt is no longer this runner's, and the spool is still open
 */
export type Adopt = (orphan: Orphan) => Promise<'done' | 'refused'>

type Parts = {
  client: Pick<CoordinatorClient, 'resume'>
  runner: RunnerIdentity
  /** Goes on with the attempt. */
  run: (lease: Lease, orphan: Orphan) => Promise<unknown>
  /** Aborts when this runner stops. */
  stopped: AbortSignal
  log: Logger
  againMs?: number
}

/** How soon the runner asks a silent coordinator again. */
const AGAIN_MS = 500

export function createAdopt(parts: Parts): Adopt {
  return async (orphan) => {
    const { taskId, attempt } = orphan.spool.header
    const log = parts.log.child({ taskId, attempt })
    const answer = await askPatiently(parts, orphan, log)
    if (answer === null) {
      await orphan.spool.close()
      return 'done'
    }
    if (!answer.granted) return 'refused'
    log.info({ event: 'attempt.adopted', hasSandbox: orphan.sandbox !== null })
    // A container that was never started would keep its name from the one that is started now.
    const sandbox = orphan.sandbox?.wasStarted ? orphan.sandbox : null
    if (!sandbox) await orphan.sandbox?.remove()
    await parts.run(answer.lease, { ...orphan, sandbox })
    return 'done'
  }
}

/** Whether an attempt can go on: its sandbox and the door of that are there, or the sandbox was never started. */
export async function isAdoptable({ spool, sandbox }: Orphan, outputEnd: number): Promise<boolean> {
  if (!spool.header.contract) return false
  if (!sandbox?.wasStarted) return outputEnd === 0
  return access(sandbox.doorDirectory).then(
    () => true,
    () => false,
  )
}

/** @returns null when the runner stops, or the coordinator was away for too long */
async function askPatiently({ client, runner, stopped, againMs = AGAIN_MS }: Parts, { spool, sandbox }: Orphan, log: Logger) {
  const { taskId, attempt } = spool.header
  const since = performance.now()
  let hasTold = false
  let waitingDoor: { close: () => Promise<void> } | null = null
  try {
    while (!stopped.aborted && performance.now() - since < COORDINATOR_AWAY_MS) {
      try {
        return await client.resume(runner, { taskId, attempt })
      } catch (error) {
        // An older coordinator does not know the question: then the attempt cannot go on.
        if (error instanceof CoordinatorFault && error.status === 404) return { granted: false as const }
        if (!hasTold) log.warn({ event: 'adoption.waits', err: error })
        hasTold = true
        if (sandbox) waitingDoor ??= await openWaitingDoor(sandbox, log)
      }
      await pause(againMs, undefined, { signal: stopped }).catch(() => undefined)
    }
    return null
  } finally {
    await waitingDoor?.close()
  }
}

/** Tells the agent that the coordinator is away, so that it waits and does not take its runner for lost. */
function openWaitingDoor({ doorDirectory }: FoundSandbox, log: Logger): Promise<{ close: () => Promise<void> }> {
  return openDoorServer({
    directory: doorDirectory,
    name: basename(DOOR.socket),
    owner: AGENT_UID,
    serve: async ({ response }) => answer(response, UNCONFIRMED, 'The coordinator has not answered yet. Wait, then try again.'),
    tunnel: null,
    log,
  })
}
