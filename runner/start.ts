import { type Logger, pino } from 'pino'
import type { Lease, RunnerIdentity } from '../contract/wire/lease.ts'
import { adoptLeftovers } from './attempt/adopt.ts'
import type { AttemptEnd } from './attempt/attempt-end.ts'
import { openKeptWork } from './attempt/kept-work.ts'
import { runAttempt } from './attempt/run-attempt.ts'
import { startSweep } from './attempt/sweep.ts'
import { openGateway } from './gateway/gateway.ts'
import { checkDisk } from './health/check-disk.ts'
import { watchHealth } from './health/health.ts'
import { handleTurn } from './jobs/lease-and-run.ts'
import { type TurnAnswer, takeJobs } from './jobs/take-jobs.ts'
import { coordinatorClient } from './lease/coordinator-client.ts'
import { startHolding } from './lease/holding.ts'
import { findToken } from './lease/token.ts'
import type { Config } from './process/config.ts'
import { openDataFolder } from './process/data-folder.ts'
import { openPublisher } from './river/publisher.ts'
import { dockerEngine } from './sandbox/docker.ts'

/** How soon a turn that came to a runner which is unwell is offered again, to whoever is well. */
const NOT_BY_ME_MS = 1_000

export type Runner = {
  id: string
  /**
   * Takes no more, lets running agents save their work and report as interrupted, removes their containers, closes.
   * Called again without `drain`, it waits for nothing.
   */
  stop: (options: { drain: boolean }) => Promise<void>
}

/**
 * Starts everything that a runner is, and returns when it takes work. A coordinator, Redis or Docker engine that is away is waited for.
 * @throws Error with what to do when the data folder or the token cannot be had
 */
export async function start(config: Config): Promise<Runner> {
  const log = openLog(config)
  const token = await findToken({ ...config, log })
  const { runnerId, ...folders } = await openDataFolder(config.dataDir)
  const runner: RunnerIdentity = { id: runnerId, name: config.name, slots: config.slots }
  const drain = new AbortController()
  const now = new AbortController()

  const client = coordinatorClient({ url: config.coordinatorUrl, token, log })
  const engine = dockerEngine({ ...config, runnerId, log })
  const publisher = openPublisher({ redisUrl: config.redisUrl, runnerId, log })
  const adopted = await adoptLeftovers({ engine, publisher, spoolDirectory: folders.spoolDirectory, log })
  const health = watchHealth({
    check: async () => {
      await checkDisk([folders.spoolDirectory, folders.doorsDirectory])
      await engine.check()
    },
    onChange: (unwell) => {
      holding.announce()
      const done = unwell ? taking.pause() : taking.resume()
      done.catch((error) => log.error({ event: 'queue.error', err: error }))
    },
    log,
  })
  const holding = startHolding({ client, runner, unwell: health.unwell, log })
  const { coordinatorUrl, npmRegistryUrl, allowedHosts } = config
  const keptWork = await openKeptWork({ directory: folders.keptDirectory, client, log })
  const outside = { engine, holding, publisher, client, keptWork, openGateway, secrets: [token], log }
  const parts = { ...outside, ...folders, coordinatorUrl, npmRegistryUrl, allowedHosts }
  const sweep = startSweep({ engine, log })
  const runnerStop = { drain: drain.signal, now: now.signal }
  const run = async (lease: Lease): Promise<AttemptEnd> => {
    const how = await sweep
      .during(lease.taskId, lease.attempt, () => runAttempt(parts, lease, runnerStop))
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
    if (!drain.signal.aborted) health.ended(how)
    if (how instanceof Error) throw how
    return how
  }
  const handle = async (data: unknown): Promise<TurnAnswer> =>
    (await health.mayTake()) ? handleTurn({ client, runner, run, log }, data) : { say: 'later', afterMs: NOT_BY_ME_MS }
  const taking = takeJobs({ ...config, log, handle })
  // Said at once, not with the first task.
  await health.mayTake()
  log.info({ event: 'runner.started', runner: runnerId, name: config.name, slots: config.slots })

  const closeInOrder = async () => {
    log.info({ event: 'runner.stopping' })
    health.stop()
    await taking.pause()
    drain.abort()
    adopted.abandon()
    await taking.close()
    await sweep.stop()
    await adopted.delivered
    await keptWork.stop()
    await holding.stop()
    publisher.close()
    log.info({ event: 'runner.stopped' })
  }
  let closing: Promise<void> | null = null
  return {
    id: runnerId,
    stop: (options) => {
      if (!options.drain) now.abort()
      closing ??= closeInOrder()
      return closing
    },
  }
}

function openLog({ logLevel, prettyLog }: Config): Logger {
  // The error of a Redis command has the whole command on it: with the events of a task, each time that it fails.
  const redact = { paths: ['err.command'], remove: true }
  const options = { level: logLevel, base: { room: 'runner' }, timestamp: pino.stdTimeFunctions.isoTime, redact }
  return pino(prettyLog ? { ...options, transport: { target: 'pino-pretty', options: { messageKey: 'event' } } } : options)
}
