import type { Logger } from 'pino'
import { RUNNER_STOP } from '../../contract/wire/deadlines.ts'
import type { End } from '../../contract/wire/end.ts'
import { parkedUntil } from '../../contract/wire/job.ts'
import { CONTRACT_VERSION, type Lease } from '../../contract/wire/lease.ts'
import { keepLease } from '../lease/renewals.ts'
import type { Delivery, DeliveryEnd } from '../river/delivery.ts'
import type { Publisher } from '../river/publisher.ts'
import { createSpool, type Spool, type SpoolHeader, spoolInMemory } from '../river/spool.ts'
import type { Orphan } from './adopt.ts'
import { createAllowance } from './allowance.ts'
import { decideEnd } from './attempt-end.ts'
import type { Attempts, RunningAttempt } from './attempts.ts'
import { createMailbox } from './mailbox.ts'
import { createNesting } from './nesting.ts'
import { createPushes } from './pushes.ts'
import { replay } from './replay.ts'
import { type Attempt, runSandbox, type SandboxParts } from './run-sandbox.ts'
import { settleTurn } from './settle-turn.ts'
import { openStopSwitch, type RunnerStop } from './stop-switch.ts'

export type AttemptParts = SandboxParts & {
  attempts: Attempts
  publisher: Publisher
  spoolDirectory: string
  log: Logger
}

/**
 * Runs one leased attempt, from its sandbox to its last acknowledged event. Whatever happens, the attempt ends in one of the four ways and
 * reports which.
 * @param orphan what an earlier process left of it: the attempt goes on from there
 * @returns null when this process leaves it to the next one
 */
export async function runAttempt(
  parts: AttemptParts,
  lease: Lease,
  runnerStop: RunnerStop,
  orphan?: Orphan,
): Promise<End | null> {
  const { assignment, signingKey, leaseMs } = lease
  const { taskId, attempt, turn, model, timeLimitMs } = assignment
  const log = parts.log.child({ taskId, attempt })
  // After a restart the whole time counts again: it is the last resort, and the agent's own clock goes on.
  const stop = openStopSwitch({ runnerStop, timeLimitMs, log })
  const onSpoolFault = (error: unknown) => {
    log.error({ event: 'spool.failed', err: error })
    stop.because('host_disk_full')
  }
  const header = { taskId, attempt, turn, signingKey, contract: CONTRACT_VERSION }
  const spool = orphan?.spool ?? (await openSpool(parts.spoolDirectory, header, onSpoolFault))
  const tree = createNesting(turn, model)
  const earlier = await replay(spool, tree)
  const mailbox = createMailbox(lease.messages, assignment.prompt, earlier.delivered)
  const allowance = createAllowance(lease)
  const running: RunningAttempt = {
    ...{ taskId, attempt, signingKey, mailbox, allowance, stop },
    hasSandbox: true,
    lease: keepLease(leaseMs),
    delivery: null,
  }
  parts.attempts.add(running)
  try {
    const delivery = parts.publisher.deliver(spool, onSpoolFault)
    running.delivery = delivery
    log.info({ event: 'attempt.started' })
    const pushes = createPushes(lease, earlier.pushes)
    const ending = { reported: null }
    const work: Attempt = { parts, lease, spool, delivery, mailbox, allowance, tree, pushes, earlier, ending, stop, log }
    const end = await workToEnd(work, runnerStop, orphan)
    if (!end) delivery.abandon()
    const how = await finishDelivery(delivery, runnerStop)
    await (how === 'abandoned' ? spool.close() : spool.remove())
    if (end) log.info({ event: 'attempt.ended', outcome: end.outcome, reason: end.reason, delivery: how })
    else log.info({ event: 'attempt.left' })
    return end
  } finally {
    stop.dispose()
    parts.attempts.remove(running)
  }
}

/** @returns how it ended; null when its sandbox, or what is left of it, waits for the next process of this runner */
async function workToEnd(work: Attempt, runnerStop: RunnerStop, orphan?: Orphan): Promise<End | null> {
  const { lease, delivery, tree, stop } = work
  const ran = await runSandbox(work, runnerStop, orphan?.sandbox ?? null)
  if (ran === 'left') return null
  await settleTurn(work, ran.sandbox, runnerStop)
  if (runnerStop.leave.aborted) return null
  // Without its sandbox a restarted runner could not read the end of the turn again.
  await delivery.spooled()
  await ran.remove()
  const facts = { turn: tree.turnEnd(), stop: stop.cause(), fault: ran.fault, sandbox: ran.sandbox }
  const end = withReturn(decideEnd(facts), lease)
  for (const event of tree.close(end)) delivery.emit(event)
  return end
}

/** Says when a turn comes back that the model keeps waiting. */
function withReturn(end: End, { assignment, parkedBefore }: Lease): End {
  if (end.reason !== 'model_waiting') return end
  const asked = end.until === undefined ? null : Date.parse(end.until)
  const { modelWaitMs } = assignment
  const until = parkedUntil({ now: Date.now(), asked, before: parkedBefore, modelWaitMs, random: Math.random() })
  return { ...end, until: new Date(until).toISOString() }
}

async function openSpool(directory: string, header: SpoolHeader, onFault: (error: unknown) => void): Promise<Spool> {
  try {
    return await createSpool(directory, header)
  } catch (error) {
    onFault(error)
    return spoolInMemory(header)
  }
}

async function finishDelivery(delivery: Delivery, { leave, drain, now }: RunnerStop): Promise<DeliveryEnd> {
  const finished = delivery.finish()
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    timer ??= setTimeout(delivery.abandon, RUNNER_STOP.lastEventsMs)
  }
  if (drain.aborted) soon()
  const atOnce = AbortSignal.any([leave, now])
  if (atOnce.aborted) delivery.abandon()
  drain.addEventListener('abort', soon)
  atOnce.addEventListener('abort', delivery.abandon)
  try {
    return await finished
  } finally {
    clearTimeout(timer)
    drain.removeEventListener('abort', soon)
    atOnce.removeEventListener('abort', delivery.abandon)
  }
}
