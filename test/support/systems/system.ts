import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '../checks/wait.ts'
import { type Client, createClient } from './client.ts'
import { createProcess, type Process } from './process.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { freePort, temporaryFolder } from './temporary.ts'

export type System = Client & {
  url: string
  token: string
  dataDir: string
  redis: TestRedis
  coordinator: Process
  runners: Process[]
  stop: () => Promise<void>
}

type Environment = Record<string, string>

const READY_MS = 60_000

/**
 * The whole river, each part a process of its own: Redis, the coordinator, and as many runners as asked for, with real containers.
 * @param options.environment for the coordinator, beside what it needs to run here
 * @param options.runners environment of each runner
 */
export async function startSystem(
  options: { environment?: Environment; runners?: Environment[]; redisPersistent?: boolean } = {},
): Promise<System> {
  const folder = await temporaryFolder()
  const redis = await startRedis({ persistent: options.redisPersistent ?? true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const dataDir = join(folder.path, 'data')
  const coordinator = createCoordinator(url, {
    ERRAND_PORT: String(port),
    ERRAND_DATA_DIR: dataDir,
    REDIS_URL: redis.url,
    ...options.environment,
  })
  await coordinator.start()

  const read = async (name: string) => (await readFile(join(dataDir, name), 'utf8')).trim()
  const token = await read('owner-token')
  const shared = { COORDINATOR_URL: url, RUNNER_TOKEN: await read('runner-token'), REDIS_URL: redis.url }
  const runners = (options.runners ?? [{}]).map((environment, index) =>
    createRunner(index + 1, folder.path, { ...shared, ...environment }),
  )
  await Promise.all(runners.map((runner) => runner.start()))

  const client = createClient(url, token)
  return {
    ...client,
    url,
    token,
    dataDir,
    redis,
    coordinator,
    runners,
    ended: (id, ...given) =>
      client.ended(id, ...given).catch((error: unknown) => {
        throw withLogs(error, coordinator, runners)
      }),
    stop: async () => {
      await Promise.all(runners.map((runner) => runner.stop()))
      await coordinator.stop()
      await redis.stop()
      await folder.remove()
    },
  }
}

/** A coordinator whose start is over when it is ready for requests. */
function createCoordinator(url: string, environment: Environment): Process {
  const coordinator = createProcess('coordinator', environment)
  const isReady = async () => (await fetch(`${url}/readyz`)).ok
  const start = async () => {
    await coordinator.start()
    await waitFor('the coordinator to be ready', () => coordinator.hasClosed() || isReady(), READY_MS)
    if (coordinator.hasClosed()) throw new Error(`the coordinator ended:\n${coordinator.log()}`)
  }
  return { ...coordinator, start }
}

function createRunner(number: number, folder: string, environment: Environment): Process {
  const own = { RUNNER_SLOTS: '1', RUNNER_NAME: `runner-${number}`, RUNNER_DATA_DIR: join(folder, `r${number}`) }
  return createProcess('runner', { ...own, ...environment })
}

/** What the processes logged last tells why. */
function withLogs(error: unknown, coordinator: Process, runners: readonly Process[]): Error {
  const logs = runners.map((runner) => runner.log().slice(-6000)).join('\n---\n')
  return new Error(`${String(error)}\n--- coordinator\n${coordinator.log().slice(-4000)}\n--- runners\n${logs}`)
}
