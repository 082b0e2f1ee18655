import { type Logger, pino } from 'pino'
import type { End } from '../contract/wire/end.ts'
import type { Lease, RunnerIdentity } from '../contract/wire/lease.ts'
import { Machine } from '../contract/wire/sandbox.ts'
import { createAttempts } from './attempt/attempts.ts'
import { openKeptWork } from './attempt/kept-work.ts'
import { openLeftovers } from './attempt/leftovers.ts'
import { type AttemptParts, runAttempt } from './attempt/run-attempt.ts'
import type { RunnerStop } from './attempt/stop-switch.ts'
import { openGateway } from './gateway/gateway.ts'
import { checkDisk } from './health/check-disk.ts'
import { type Health, watchHealth } from './health/health.ts'
import { leaseAndRun } from './jobs/lease-and-run.ts'
import { takeJobs } from './jobs/take-jobs.ts'
import { createCoordinatorClient, findToken } from './lease/coordinator-client.ts'
import { startRenewals } from './lease/renewals.ts'
import { checkHostGit } from './patch/git.ts'
import { openPatchMaker } from './patch/make-patches.ts'
import type { Config } from './process/config.ts'
import { openDataFolder } from './process/data-folder.ts'
import { openPublisher } from './river/publisher.ts'
import { createDockerEngine } from './sandbox/docker.ts'

export type Runner = {
  id: string
  /**
   * Takes no further turns, lets running agents save their work and report as interrupted, removes their containers, and closes. A later
   * call without `drain` waits for nothing.
   */
  stop: (options: { drain: boolean }) => Promise<void>
}

/**
 * Starts everything that a runner is, and returns when it takes turns. It waits for a coordinator, a Redis or a Docker engine that is away.
 * @throws Error with what to do when git is missing, the data folder cannot be used, or the token is missing
 */
export async function start(config: Config): Promise<Runner> {
  const { name, slots, redisUrl, coordinatorUrl, npmRegistryUrl } = config
  const log = openLog(config)
  await checkHostGit(config.path)
  const token = await findToken({ ...config, log })
  const { runnerId, spoolDirectory, doorsDirectory, keptDirectory, patchesDirectory } = await openDataFolder(config.dataDir)
  const runner: RunnerIdentity = { id: runnerId, name, slots }
  const drain = new AbortController()
  const now = new AbortController()
  const attempts = createAttempts()
  const client = createCoordinatorClient({ url: coordinatorUrl, token, log })
  const engine = createDockerEngine({ ...config, runnerId, log })
  const publisher = openPublisher({ redisUrl, runnerId, attempts, log })
  const leftovers = await openLeftovers({ engine, publisher, attempts, spoolDirectory, log })
  const health = watchHealth({
    check: async () => {
      await checkDisk([spoolDirectory, doorsDirectory])
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
  const keptWork = await openKeptWork({ directory: keptDirectory, client, log })
  const makePatches = await openPatchMaker({ directory: patchesDirectory, path: config.path, log })
  const machine = Machine.parse(config)
  const outside = { engine, publisher, renewals, client, keptWork, openGateway, coordinatorUrl, npmRegistryUrl, machine }
  const parts: AttemptParts = { ...outside, makePatches, attempts, spoolDirectory, doorsDirectory, secrets: [token], log }
  const run = (lease: Lease) => runWatched(parts, health, lease, { drain: drain.signal, now: now.signal })
  const turns = { client, runner, mayTake: health.mayTake, run, log }
  const taking = takeJobs({ redisUrl, slots, handle: (data) => attempts.track(leaseAndRun(turns, data)), log })
  // The coordinator hears at once when this host is unwell, not with the first turn.
  await health.mayTake()
  log.info({ event: 'runner.started', runner: runnerId, name, slots })

  const stopInOrder = async () => {
    log.info({ event: 'runner.stopping' })
    health.stop()
    await taking.pause()
    drain.abort()
    for (const { lease, delivery } of attempts.list()) if (!lease) delivery?.abandon()
    await attempts.idle()
    for (const part of [{ stop: taking.close }, leftovers, keptWork, renewals]) await part.stop()
    publisher.close()
    log.info({ event: 'runner.stopped' })
  }
  return { id: runnerId, stop: stopOnce(stopInOrder, now) }
}

/** A stopping runner interrupts its attempts itself: their ends are no sign of a fault of its host. */
async function runWatched(parts: AttemptParts, health: Health, lease: Lease, runnerStop: RunnerStop): Promise<End> {
  try {
    const end = await runAttempt(parts, lease, runnerStop)
    if (!runnerStop.drain.aborted) health.ended(end)
    return end
  } catch (error) {
    if (!runnerStop.drain.aborted) health.failed(error)
    throw error
  }
}

function stopOnce(stopInOrder: () => Promise<void>, now: AbortController): Runner['stop'] {
  let stopping: Promise<void> | null = null
  return ({ drain }) => {
    if (!drain) now.abort()
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
