import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadRunnerToken } from '../../../coordinator/accounts/owner.ts'
import { type Config, readConfig } from '../../../coordinator/process/config.ts'
import { start } from '../../../coordinator/start.ts'
import { endProcess, killAlive } from '../checks/kill.ts'
import { temporaryFolder } from './temporary.ts'

export type TestCoordinator = {
  url: string
  /** API token of the local owner. */
  ownerToken: string
  /** What runners show. */
  runnerToken: string
  config: Config
  /** Stops it in order; its data folder goes too, unless it was given. */
  stop: () => Promise<void>
}

export type CoordinatorOptions = {
  redisUrl: string
  /** Kept afterwards, for a second start on the same data. Left out: one of its own. */
  dataDir?: string
  /** More variables, as in `.env`. */
  environment?: Record<string, string>
}

/** The real coordinator in this process, on a free port: `start()` as `main.ts` calls it. Without a model key it is a demo. */
export async function startCoordinator({ redisUrl, dataDir, environment }: CoordinatorOptions): Promise<TestCoordinator> {
  const folder = dataDir === undefined ? await temporaryFolder() : null
  const config = readConfig(environmentOf(redisUrl, dataDir ?? join(folder?.path ?? '', 'data'), environment))
  const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })
  const coordinator = await start(config, log).catch(async (error: unknown) => {
    await folder?.remove()
    throw error
  })
  return {
    url: coordinator.url,
    ownerToken: coordinator.ownerToken,
    runnerToken: await loadRunnerToken(config),
    config: { ...config, port: coordinator.port, publicUrl: coordinator.url },
    stop: async () => {
      await coordinator.stop()
      await folder?.remove()
    },
  }
}

export type CoordinatorProcess = {
  url: string
  /** SIGKILL. @throws Error unless it was alive */
  kill: () => Promise<void>
  /** Ends it if it is still there. @returns its exit code; null when a signal ended it */
  end: (signal: NodeJS.Signals) => Promise<number | null>
}

/**
 * The real coordinator as a process of its own, to be killed.
 * @throws Error with what it wrote when it ends before it takes requests
 */
export async function spawnCoordinator({
  redisUrl,
  dataDir,
  environment,
}: CoordinatorOptions & { dataDir: string }): Promise<CoordinatorProcess> {
  const env = { PATH: process.env.PATH, ...environmentOf(redisUrl, dataDir, environment) }
  const main = join(import.meta.dirname, '../../../coordinator/main.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let written = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      written += chunk.toString()
      const started = /"event":"coordinator.started","url":"([^"]+)"/.exec(written)
      if (started?.[1]) resolve(started[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`the coordinator ended with ${code}: ${written}`)))
  })
  return {
    url,
    kill: () => killAlive('the coordinator', child),
    end: (signal) => endProcess(child, signal),
  }
}

function environmentOf(redisUrl: string, dataDir: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    ERRAND_PORT: '0',
    ERRAND_DATA_DIR: dataDir,
    REDIS_URL: redisUrl,
    ...more,
  }
}
