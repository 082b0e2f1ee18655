import { type Logger, pino } from 'pino'
import type { Lease, RunnerIdentity } from '../contract/lease.ts'
import { adoptLeftovers } from './adopt.ts'
import type { Config } from './config.ts'
import { coordinatorClient } from './coordinator-client.ts'
import { openDataFolder } from './data-folder.ts'
import { dockerEngine } from './docker.ts'
import { openGateway } from './gateway/gateway.ts'
import { handleTurn } from './handle-turn.ts'
import { startHolding } from './leases.ts'
import { openPublisher } from './publisher.ts'
import { runAttempt } from './run-attempt.ts'
import { EngineFault, type SandboxEngine } from './sandbox.ts'
import { startSweep } from './sweep.ts'
import { takeJobs } from './take-jobs.ts'
import { findToken } from './token.ts'

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
export const start = async (config: Config): Promise<Runner> => {
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
  await reportEngine(engine, log)
  const holding = startHolding({ client, runner, log })
  const { coordinatorUrl, npmRegistryUrl, allowedHosts } = config
  const outside = { engine, holding, publisher, client, openGateway, secrets: [token], log }
  const parts = { ...outside, ...folders, coordinatorUrl, npmRegistryUrl, allowedHosts }
  const sweep = startSweep({ engine, log })
  const run = (lease: Lease) =>
    sweep.during(lease.taskId, lease.attempt, () => runAttempt(parts, lease, { drain: drain.signal, now: now.signal }))
  const taking = takeJobs({ ...config, log, handle: (data) => handleTurn({ client, runner, run, log }, data) })
  log.info({ event: 'runner.started', runner: runnerId, name: config.name, slots: config.slots })

  const closeInOrder = async () => {
    log.info({ event: 'runner.stopping' })
    await taking.pause()
    drain.abort()
    adopted.abandon()
    await taking.close()
    await sweep.stop()
    await adopted.delivered
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

const openLog = ({ logLevel, prettyLog }: Config): Logger => {
  // The error of a Redis command has the whole command on it: with the events of a task, each time that it fails.
  const redact = { paths: ['err.command'], remove: true }
  const options = { level: logLevel, base: { room: 'runner' }, timestamp: pino.stdTimeFunctions.isoTime, redact }
  return pino(prettyLog ? { ...options, transport: { target: 'pino-pretty', options: { messageKey: 'event' } } } : options)
}

const reportEngine = async (engine: SandboxEngine, log: Logger): Promise<void> => {
  try {
    await engine.check()
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    log.error({ event: 'engine.fault', reason: error.reason, err: error })
  }
}
