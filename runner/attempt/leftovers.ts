import type { Logger } from 'pino'
import { NewEvent } from '../../contract/api/event.ts'
import { parseJson } from '../../contract/shared/json.ts'
import type { End } from '../../contract/wire/end.ts'
import { startRepeating } from '../process/repeat.ts'
import type { Publisher } from '../river/publisher.ts'
import { recoverSpools, type Spool } from '../river/spool.ts'
import type { SandboxEngine } from '../sandbox/sandbox.ts'
import type { Attempts, RunningAttempt } from './attempts.ts'
import { createMailbox } from './mailbox.ts'
import { createNesting, type Nesting } from './nesting.ts'

export type Leftovers = { stop: () => Promise<void> }

type Parts = {
  engine: Pick<SandboxEngine, 'removeLeftovers'>
  publisher: Pick<Publisher, 'deliver'>
  attempts: Attempts
  spoolDirectory: string
  log: Logger
  everyMs?: number
}

const EVERY_MS = 60_000

/**
 * Settles what an earlier process of this runner left when it was killed: removes its containers and delivers its events. Then removes,
 * every minute, containers that could not be removed when their attempt ended, because an engine that hung may answer again.
 * @returns once the old containers are gone, unless the engine is away, and every recovered spool is being delivered
 */
export async function openLeftovers(parts: Parts): Promise<Leftovers> {
  const { spoolDirectory, everyMs = EVERY_MS } = parts
  await removeContainers(parts)
  const spools = await recoverSpools(spoolDirectory)
  await Promise.all(spools.map((spool) => deliverSpool(spool, parts)))
  return startRepeating(() => removeContainers(parts), everyMs)
}

/** Never throws: without an engine no container of ours runs, and each attempt reports that until the engine is back. */
async function removeContainers({ engine, attempts, log }: Parts): Promise<void> {
  try {
    const removed = await engine.removeLeftovers((taskId, attempt) => attempts.find(taskId, attempt)?.lease != null)
    if (removed > 0) log.warn({ event: 'leftovers.removed', containers: removed })
  } catch (error) {
    log.error({ event: 'leftovers.stay', err: error })
  }
}

/** Closes what the attempt left open, reports it as interrupted unless it wrote its end before the process died, and begins to deliver that. */
async function deliverSpool(spool: Spool, { publisher, attempts, log }: Parts): Promise<void> {
  const { taskId, attempt, signingKey } = spool.header
  const onFault = (error: unknown) => log.error({ event: 'spool.failed', taskId, attempt, err: error })
  const { tree, turnEnd, held } = await replay(spool)
  const delivery = publisher.deliver(spool, onFault)
  const leftover: RunningAttempt = {
    taskId,
    attempt,
    signingKey,
    lease: null,
    mailbox: createMailbox([], ''),
    delivery,
    stop: null,
  }
  attempts.add(leftover)
  // The turn was over, and that process was killed while it looked at what was pushed.
  if (held && !turnEnd) for (const event of tree.admit(held)) delivery.emit(event)
  for (const event of tree.close(
    turnEnd ?? tree.turnEnd() ?? { outcome: 'interrupted', reason: 'runner_stopped', message: null },
  ))
    delivery.emit(event)
  const settle = async () => {
    const how = await delivery.finish()
    await (how === 'abandoned' ? spool.close() : spool.remove())
    log.info({ event: 'leftovers.delivered', taskId, attempt, delivery: how })
  }
  const settled = settle()
    .catch(onFault)
    .finally(() => attempts.remove(leftover))
  void attempts.track(settled)
}

/** @returns the spooled events as a tree to close, and how the turn ended: if the turn was over, its attempt ended the same way */
async function replay(spool: Spool): Promise<{ tree: Nesting; turnEnd: End | null; held: NewEvent | null }> {
  const tree = createNesting(spool.header.turn, '')
  let turnEnd: End | null = null
  for (let from = 1; from <= spool.lastN(); ) {
    const entries = await spool.read(from, 1000)
    for (const { body } of entries) {
      // An earlier version may have written it. The coordinator checks it too, and one bad spool must not prevent a runner from starting.
      const event = NewEvent.safeParse(parseJson(body)).data
      if (!event) continue
      tree.admit(event)
      if (event.type === 'turn.ended')
        turnEnd = { outcome: event.data.outcome, reason: event.data.reason, message: event.data.message }
    }
    from += entries.length
  }
  return { tree, turnEnd, held: spool.held() }
}
