import type { Logger } from 'pino'
import { RUNNER_STOP } from '../../contract/wire/deadlines.ts'
import type { End } from '../../contract/wire/end.ts'
import { parkedUntil } from '../../contract/wire/job.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import { keepLease } from '../lease/renewals.ts'
import type { Delivery, DeliveryEnd } from '../river/delivery.ts'
import type { Publisher } from '../river/publisher.ts'
import { createSpool, type Spool, type SpoolHeader, spoolInMemory } from '../river/spool.ts'
import { createAllowance } from './allowance.ts'
import { decideEnd } from './attempt-end.ts'
import type { Attempts, RunningAttempt } from './attempts.ts'
import { createMailbox } from './mailbox.ts'
import { createNesting } from './nesting.ts'
import { createPushes } from './pushes.ts'
import { runSandbox, type SandboxParts } from './run-sandbox.ts'
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
 */
export async function runAttempt(parts: AttemptParts, lease: Lease, runnerStop: RunnerStop): Promise<End> {
  const { assignment, signingKey, leaseMs } = lease
  const { taskId, attempt, turn, prompt, model, timeLimitMs } = assignment
  const log = parts.log.child({ taskId, attempt })
  const mailbox = createMailbox(lease.messages, prompt)
  const stop = openStopSwitch({ runnerStop, timeLimitMs, log })
  const allowance = createAllowance(lease)
  const kept = keepLease(leaseMs)
  const running: RunningAttempt = { taskId, attempt, signingKey, lease: kept, mailbox, allowance, delivery: null, stop }
  parts.attempts.add(running)
  try {
    const onSpoolFault = (error: unknown) => {
      log.error({ event: 'spool.failed', err: error })
      stop.because('host_disk_full')
    }
    const spool = await openSpool(parts.spoolDirectory, { taskId, attempt, turn, signingKey }, onSpoolFault)
    const delivery = parts.publisher.deliver(spool, onSpoolFault)
    running.delivery = delivery
    log.info({ event: 'attempt.started' })
    const tree = createNesting(turn, model)
    const work = {
      parts,
      lease,
      spool,
      delivery,
      mailbox,
      allowance,
      tree,
      pushes: createPushes(lease),
      ending: { reported: null },
      stop,
      log,
    }
    const { sandbox, fault } = await runSandbox(work)
    await settleTurn(work, sandbox, runnerStop)
    const end = withReturn(decideEnd({ turn: tree.turnEnd(), stop: stop.cause(), fault, sandbox }), lease)
    for (const event of tree.close(end)) delivery.emit(event)
    const how = await finishDelivery(delivery, runnerStop)
    await (how === 'abandoned' ? spool.close() : spool.remove())
    log.info({ event: 'attempt.ended', outcome: end.outcome, reason: end.reason, delivery: how })
    return end
  } finally {
    stop.dispose()
    parts.attempts.remove(running)
  }
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

async function finishDelivery(delivery: Delivery, { drain, now }: RunnerStop): Promise<DeliveryEnd> {
  const finished = delivery.finish()
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    timer ??= setTimeout(delivery.abandon, RUNNER_STOP.lastEventsMs)
  }
  if (drain.aborted) soon()
  if (now.aborted) delivery.abandon()
  drain.addEventListener('abort', soon)
  now.addEventListener('abort', delivery.abandon)
  try {
    return await finished
  } finally {
    clearTimeout(timer)
    drain.removeEventListener('abort', soon)
    now.removeEventListener('abort', delivery.abandon)
  }
}
