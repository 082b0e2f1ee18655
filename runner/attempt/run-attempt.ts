import type { Logger } from 'pino'
import { RUNNER_STOP } from '../../contract/wire/deadlines.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import type { Holding } from '../lease/holding.ts'
import type { Delivery, DeliveryEnd } from '../river/delivery.ts'
import type { Publisher } from '../river/publisher.ts'
import { createSpool, type Spool, type SpoolHeader } from '../river/spool.ts'
import { spoolInMemory } from '../river/spool-in-memory.ts'
import { type AttemptEnd, decideEnd } from './attempt-end.ts'
import { createMailbox } from './mailbox.ts'
import { nesting } from './nesting.ts'
import { runSandbox, type SandboxParts } from './run-sandbox.ts'
import { type RunnerStop, stopSwitch } from './stop-switch.ts'

export type AttemptParts = SandboxParts & {
  holding: Holding
  publisher: Publisher
  spoolDirectory: string
  log: Logger
}

/**
 * Runs one leased attempt from its first sandbox to its last acknowledged event. Whatever happens on the way, the attempt ends in one of
 * the four ways, and says so.
 */
export async function runAttempt(parts: AttemptParts, lease: Lease, runnerStop: RunnerStop): Promise<AttemptEnd> {
  const { taskId, attempt, turn, signingKey } = lease
  const log = parts.log.child({ taskId, attempt })
  const mailbox = createMailbox(lease.messages)
  const hold = parts.holding.hold(lease, mailbox.put)
  const stop = stopSwitch({ lease: hold.signal, runnerStop, timeLimitMs: lease.timeLimitMs })
  try {
    const onSpoolFault = (error: unknown) => {
      log.error({ event: 'spool.failed', err: error })
      stop.because('host_disk_full')
    }
    const spool = await openSpool(parts.spoolDirectory, { taskId, attempt, turn, signingKey }, onSpoolFault)
    const delivery = parts.publisher.publish(spool, {
      onCancel: hold.cancelled,
      onRefused: hold.lost,
      onMessage: (message) => mailbox.put([message]),
      onWithdraw: mailbox.withdraw,
      onSpoolFault,
    })
    // Nobody is left to answer then. An attempt that is only lost still tells what it cost.
    hold.over.addEventListener('abort', delivery.unanswered)
    log.info({ event: 'attempt.started' })
    const tree = nesting(turn, lease.model)
    const { sandbox, fault } = await runSandbox({ parts, lease, spool, delivery, mailbox, tree, stop, log })
    const end = decideEnd({ turn: tree.turnEnd(), stop: stop.cause(), fault, sandbox })
    for (const event of tree.close(end)) delivery.say(event)
    const how = await lastWords(delivery, runnerStop)
    await (how === 'abandoned' ? spool.close() : spool.remove())
    log.info({ event: 'attempt.ended', outcome: end.outcome, reason: end.reason, delivery: how })
    return end
  } finally {
    stop.dispose()
    hold.release()
  }
}

async function openSpool(directory: string, header: SpoolHeader, onFault: (error: unknown) => void): Promise<Spool> {
  try {
    return await createSpool(directory, header)
  } catch (error) {
    onFault(error)
    return spoolInMemory(header)
  }
}

async function lastWords(delivery: Delivery, { drain, now }: RunnerStop): Promise<DeliveryEnd> {
  const finished = delivery.finish()
  let timer: NodeJS.Timeout | undefined
  const soon = () => {
    // The next start of the runner sends what is left.
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
