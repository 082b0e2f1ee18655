import { type Logger, pino } from 'pino'
import type { End } from '../contract/wire/end.ts'
import { CONTRACT_VERSION, type Lease, type RunnerIdentity } from '../contract/wire/lease.ts'
import { Machine } from '../contract/wire/sandbox.ts'
import { createAdopt, type Orphan } from './attempt/adopt.ts'
import { createAttempts } from './attempt/attempts.ts'
import { openKeptWork } from './attempt/kept-work.ts'
import { openLeftovers } from './attempt/leftovers.ts'
import { type AttemptParts, runAttempt } from './attempt/run-attempt.ts'
import type { RunnerStop } from './attempt/stop-switch.ts'
import { openGateway } from './gateway/gateway.ts'
import { checkDisk } from './health/check-disk.ts'
import { type Health, watchHealth } from './health/health.ts'
import { createSlots, leaseAndRun } from './jobs/lease-and-run.ts'
import { takeJobs } from './jobs/take-jobs.ts'
import { createCoordinatorClient, findToken } from './lease/coordinator-client.ts'
import { startRenewals } from './lease/renewals.ts'
import { checkHostGit } from './patch/git.ts'
import { openHostReader } from './patch/make-patches.ts'
import type { Config } from './process/config.ts'
import { openDataFolder } from './process/data-folder.ts'
import { openPublisher } from './river/publisher.ts'
import { createDockerEngine } from './sandbox/docker.ts'

export type Runner = {
  id: string
  /** Takes no further turns, and closes. A later call with another way hurries this one. */
  stop: (how: StopHow) => Promise<void>
}

/**
 * `leave`: the sandboxes run on, and the next process of this runner goes on with them. `drain`: the agents save their work and report as
 * interrupted, so that other runners go on; their containers are removed. `now`: so too, but nothing waits.
 */
export type StopHow = 'leave' | 'drain' | 'now'

/**
 * Starts everything that a runner is, and returns when it takes turns. It waits for a coordinator, a Redis or a Docker engine that is away.
 * @throws Error with what to do when git is missing, the data folder cannot be used, or the token is missing
 */
export async function start(config: Config): Promise<Runner> {
  const { name, slots, redisUrl, coordinatorUrl, npmRegistryUrl } = config
  const log = openLog(config)
  await checkHostGit(config.path)
  const token = await findToken({ ...config, log })
  const folder = await openDataFolder({ path: config.dataDir })
  const { runnerId, spoolDirectory, doorsDirectory, oldDoors, keptDirectory, patchesDirectory } = folder
  const runner: RunnerIdentity = { id: runnerId, name, slots, contract: CONTRACT_VERSION }
  const stops = { leave: new AbortController(), drain: new AbortController(), now: new AbortController() }
  const runnerStop: RunnerStop = { leave: stops.leave.signal, drain: stops.drain.signal, now: stops.now.signal }
  const attempts = createAttempts()
  const { proofOf } = attempts
  const client = createCoordinatorClient({ url: coordinatorUrl, token, proofOf, log })
  const engine = createDockerEngine({ ...config, runnerId, log })
  const publisher = openPublisher({ redisUrl, runnerId, attempts, log })
  const health = watchHealth({
    check: async () => {
      await checkDisk([spoolDirectory, doorsDirectory], config.diskFloorMb * 1024 * 1024)
      await engine.check()
    },
    onChange: (unwell) => {
      renewals.announce()
      const done = unwell ? taking.pause() : taking.resume()
      done.catch((error) => log.error({ event: 'queue.error', err: error }))
    },
    log,
  })
  const renewals = startRenewals({ client, runner, attempts, unwell: health.unwell, log })
  const keptWork = await openKeptWork({ directory: keptDirectory, client, proofOf, log })
  const gitHost = await openHostReader({ directory: patchesDirectory, path: config.path, log })
  const machine = Machine.parse(config)
  const outside = { engine, publisher, renewals, client, keptWork, openGateway, coordinatorUrl, npmRegistryUrl, machine }
  const parts: AttemptParts = { ...outside, gitHost, attempts, spoolDirectory, doorsDirectory, secrets: [token], log }
  const run = (lease: Lease, orphan?: Orphan) => runWatched(parts, health, lease, runnerStop, orphan)
  const room = createSlots(slots)
  const runInSlot = (lease: Lease, orphan: Orphan) => room.during(() => run(lease, orphan))
  const stopped = AbortSignal.any(Object.values(runnerStop))
  const adopt = createAdopt({ client, runner, run: runInSlot, stopped, log })
  const leftovers = await openLeftovers({ engine, publisher, attempts, adopt, spoolDirectory, oldDoors, stopped, log })
  const mayTake = async () => !renewals.isRetired() && (await health.mayTake())
  const turns = { client, runner, mayTake, slots: room, run, log }
  const taking = takeJobs({ redisUrl, slots, handle: (data) => attempts.track(leaseAndRun(turns, data)), log })
  // The coordinator hears at once when this host is unwell, not with the first turn.
  await health.mayTake()
  log.info({ event: 'runner.started', runner: runnerId, name, slots })

  const stopInOrder = async () => {
    log.info({ event: 'runner.stopping' })
    health.stop()
    await taking.pause()
    if (!stops.leave.signal.aborted) stops.drain.abort()
    for (const { lease, delivery } of attempts.list()) if (!lease) delivery?.abandon()
    await attempts.idle()
    for (const part of [{ stop: taking.close }, leftovers, keptWork, renewals]) await part.stop()
    publisher.close()
    folder.release()
    log.info({ event: 'runner.stopped' })
  }
  return { id: runnerId, stop: stopOnce(stopInOrder, stops) }
}

/** A stopping runner interrupts its attempts itself: their ends are no sign of a fault of its host. */
async function runWatched(
  parts: AttemptParts,
  health: Health,
  lease: Lease,
  runnerStop: RunnerStop,
  orphan?: Orphan,
): Promise<End | null> {
  const isStopping = () => runnerStop.drain.aborted || runnerStop.leave.aborted || parts.renewals.isRetired()
  try {
    const end = await runAttempt(parts, lease, runnerStop, orphan)
    if (end && !isStopping()) health.ended(end)
    return end
  } catch (error) {
    if (!isStopping()) health.failed(error)
    throw error
  }
}

function stopOnce(stopInOrder: () => Promise<void>, stops: Record<StopHow, AbortController>): Runner['stop'] {
  let stopping: Promise<void> | null = null
  return (how) => {
    stops[how].abort()
    stopping ??= stopInOrder()
    return stopping
  }
}

function openLog({ logLevel, prettyLog }: Config): Logger {
  // The error of a Redis command contains the whole command, and so the events of a task.
  const redact = { paths: ['err.command'], remove: true }
  const options = { level: logLevel, base: { process: 'runner' }, timestamp: pino.stdTimeFunctions.isoTime, redact }
  return pino(prettyLog ? { ...options, transport: { target: 'pino-pretty', options: { messageKey: 'event' } } } : options)
}
