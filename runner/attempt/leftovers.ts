import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { LEASE_MS } from '../../contract/wire/deadlines.ts'
import { type Repeating, startRepeating } from '../process/repeat.ts'
import type { Publisher } from '../river/publisher.ts'
import { recoverSpools, type Spool } from '../river/spool.ts'
import type { FoundSandbox, SandboxEngine } from '../sandbox/sandbox.ts'
import { type Adopt, isAdoptable, type Orphan } from './adopt.ts'
import type { Attempts, RunningAttempt } from './attempts.ts'
import { createMailbox } from './mailbox.ts'
import { createNesting, type Nesting } from './nesting.ts'
import { replay } from './replay.ts'

type Parts = {
  engine: Pick<SandboxEngine, 'find' | 'removeLeftovers'>
  publisher: Pick<Publisher, 'deliver'>
  attempts: Attempts
  adopt: Adopt
  spoolDirectory: string
  /** The doors of earlier processes. */
  oldDoors: readonly string[]
  /** Aborts when this runner stops. */
  stopped: AbortSignal
  log: Logger
  everyMs?: number
  /** How long an absent engine is waited for: afterwards the leases have run out. */
  engineMs?: number
}

const EVERY_MS = 60_000
/** How soon an absent engine is asked again. */
const AGAIN_MS = 500

/**
 * Settles what an earlier process of this runner left when it ended: goes on with the attempts whose sandboxes are there, and delivers the
 * events of the others and ends them. Then removes, every minute, containers that could not be removed when their attempt ended, because an
 * engine that hung may answer again.
 * @returns once every spool is known; the work on them goes on
 */
export async function openLeftovers(parts: Parts): Promise<Repeating> {
  const { spoolDirectory, attempts, everyMs = EVERY_MS } = parts
  const left = (await recoverSpools(spoolDirectory)).map((spool) => register(parts, spool))
  void attempts.track(settleAll(parts, left))
  return startRepeating(() => removeContainers(parts), everyMs)
}

type Left = { spool: Spool; entry: RunningAttempt }

/** The attempt keeps its sandbox until this runner knows whether it can go on. */
function register({ attempts }: Parts, spool: Spool): Left {
  const { taskId, attempt, signingKey } = spool.header
  const about = { taskId, attempt, signingKey, mailbox: createMailbox([], ''), delivery: null, stop: null }
  const entry: RunningAttempt = { ...about, lease: null, hasSandbox: true }
  attempts.add(entry)
  return { spool, entry }
}

async function settleAll(parts: Parts, left: readonly Left[]): Promise<void> {
  const found = await findPatiently(parts)
  if (found) {
    const used = new Set(found.map(({ doorDirectory }) => doorDirectory))
    for (const door of parts.oldDoors) if (!used.has(door)) await rm(door, { recursive: true, force: true })
    await removeContainers(parts)
  }
  await Promise.all(left.map((one) => settle(parts, one, found ?? [])))
}

/** @returns null when the engine does not answer in time: then nothing is known of the sandboxes, and the leases run out */
async function findPatiently({ engine, stopped, log, engineMs = LEASE_MS }: Parts): Promise<FoundSandbox[] | null> {
  const since = performance.now()
  for (;;) {
    try {
      return await engine.find()
    } catch (error) {
      log.error({ event: 'leftovers.stay', err: error })
      if (stopped.aborted || performance.now() - since > engineMs) return null
    }
    await pause(AGAIN_MS, undefined, { signal: stopped }).catch(() => undefined)
  }
}

async function settle(parts: Parts, { spool, entry }: Left, found: readonly FoundSandbox[]): Promise<void> {
  const { attempts, adopt, log } = parts
  const { taskId, attempt, turn } = spool.header
  const sandbox = found.find((one) => one.taskId === taskId && one.attempt === attempt) ?? null
  const orphan: Orphan = { spool, sandbox }
  try {
    const tree = createNesting(turn, '')
    const { outputEnd, isOver } = await replay(spool, tree)
    if (!isOver && (await isAdoptable(orphan, outputEnd)) && (await adopt(orphan)) !== 'refused') return
    entry.hasSandbox = false
    await sandbox?.remove().catch((error) => log.error({ event: 'sandbox.remove_failed', taskId, attempt, err: error }))
    if (sandbox) await rm(sandbox.doorDirectory, { recursive: true, force: true })
    await deliverSpool(parts, spool, entry, tree)
  } catch (error) {
    log.error({ event: 'spool.failed', taskId, attempt, err: error })
  } finally {
    attempts.remove(entry)
  }
}

/** Closes what the attempt left open, reports it as interrupted unless it wrote its end before the process died, and delivers that. */
async function deliverSpool({ publisher, log }: Parts, spool: Spool, entry: RunningAttempt, tree: Nesting): Promise<void> {
  const { taskId, attempt } = spool.header
  const delivery = publisher.deliver(spool, (error) => log.error({ event: 'spool.failed', taskId, attempt, err: error }))
  entry.delivery = delivery
  for (const event of tree.close(tree.turnEnd() ?? { outcome: 'interrupted', reason: 'runner_stopped', message: null }))
    delivery.emit(event)
  const how = await delivery.finish()
  await (how === 'abandoned' ? spool.close() : spool.remove())
  log.info({ event: 'leftovers.delivered', taskId, attempt, delivery: how })
}

/** Never throws: without an engine no container of ours runs, and each attempt reports that until the engine is back. */
async function removeContainers({ engine, attempts, log }: Parts): Promise<void> {
  try {
    const removed = await engine.removeLeftovers((taskId, attempt) => attempts.find(taskId, attempt)?.hasSandbox === true)
    if (removed > 0) log.warn({ event: 'leftovers.removed', containers: removed })
  } catch (error) {
    log.error({ event: 'leftovers.stay', err: error })
  }
}
