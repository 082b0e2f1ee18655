import { join } from 'node:path'
import { pino } from 'pino'
import { loadRunnerToken } from '../../../coordinator/accounts/owner.ts'
import { type Config, readConfig } from '../../../coordinator/process/config.ts'
import { start } from '../../../coordinator/start.ts'
import { waitFor } from '../checks/wait.ts'
import { createScriptedRunner, runnerCalls } from '../scripted/scripted-runner.ts'
import { type Client, createClient } from './client.ts'
import { createProcess, type Process } from './process.ts'
import { startRedis } from './redis.ts'
import { temporaryFolder } from './temporary.ts'

export type TestCoordinator = Client & {
  url: string
  redisUrl: string
  /** API token of the local owner. */
  ownerToken: string
  /** What runners show. */
  runnerToken: string
  config: Config
  /** Stops it in order; a Redis and a data folder of its own go too. */
  stop: () => Promise<void>
}

export type CoordinatorOptions = {
  /** Left out: one of its own. */
  redisUrl?: string
  /** Kept afterwards, for a second start on the same data. Left out: one of its own. */
  dataDir?: string
  /** More variables, as in `.env`. */
  environment?: Record<string, string>
}

/** The real coordinator in this process, on a free port: `start()` as `main.ts` calls it. Without a model key it is a demo. */
export async function startCoordinator({ redisUrl, dataDir, environment }: CoordinatorOptions = {}): Promise<TestCoordinator> {
  const redis = redisUrl === undefined ? await startRedis() : { url: redisUrl, stop: async () => undefined }
  const folder = dataDir === undefined ? await temporaryFolder() : null
  const removeOwn = async () => {
    await redis.stop()
    await folder?.remove()
  }
  const config = readConfig(environmentOf(redis.url, dataDir ?? join(folder?.path ?? '', 'data'), environment))
  const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })
  const coordinator = await start(config, log).catch(async (error: unknown) => {
    await removeOwn()
    throw error
  })
  const { url, port, ownerToken } = coordinator
  return {
    ...createClient(url, ownerToken),
    url,
    redisUrl: redis.url,
    ownerToken,
    runnerToken: await loadRunnerToken(config),
    config: { ...config, port, publicUrl: url },
    stop: async () => {
      await coordinator.stop()
      await removeOwn()
    },
  }
}

export type StaffedCoordinator = Awaited<ReturnType<typeof startStaffedCoordinator>>

/** The same with a scripted runner in the place of every real one. @param slots how many tasks that runner takes at a time */
export async function startStaffedCoordinator(options: CoordinatorOptions = {}, slots?: number) {
  const coordinator = await startCoordinator(options)
  const runner = await createScriptedRunner(coordinator.redisUrl)
  const calls = runnerCalls(coordinator.url, coordinator.runnerToken, runner.id, slots)
  return {
    coordinator,
    runner,
    calls,
    /** Takes the task's turn as a runner does. */
    lease: async (taskId: string, turn?: number) => calls.lease(await runner.job(taskId, turn)),
    stop: async () => {
      await runner.close()
      await coordinator.stop()
    },
  }
}

/** Each process reads and strips all sources first, on a machine that may be busy. */
const STARTED_MS = 60_000

/**
 * The real coordinator as a process of its own, to be killed.
 * @throws Error with what it wrote when it ends before it takes requests
 */
export async function spawnCoordinator({
  redisUrl,
  dataDir,
  environment,
}: CoordinatorOptions & { redisUrl: string; dataDir: string }): Promise<Process & { url: string }> {
  const coordinator = createProcess('coordinator', environmentOf(redisUrl, dataDir, environment))
  await coordinator.start()
  const urlIn = (log: string) => /"event":"coordinator.started","url":"([^"]+)"/.exec(log)?.[1]
  await waitFor('the coordinator to take requests', () => urlIn(coordinator.log()) ?? coordinator.hasClosed(), STARTED_MS)
  const url = urlIn(coordinator.log())
  if (!url) throw new Error(`the coordinator ended with ${await coordinator.stop()}: ${coordinator.log()}`)
  return { ...coordinator, url }
}

function environmentOf(redisUrl: string, dataDir: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    ERRAND_PORT: '0',
    ERRAND_DATA_DIR: dataDir,
    REDIS_URL: redisUrl,
    ...more,
  }
}
