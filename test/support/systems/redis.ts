import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { endProcess, killAlive } from '../checks/kill.ts'
import { waitFor } from '../checks/wait.ts'
import { freePort, temporaryFolder } from './temporary.ts'

export type TestRedis = {
  url: string
  port: number
  /** SIGKILL, as a power cut would. @throws Error unless it was alive */
  kill: () => Promise<void>
  /** Starts it again on the same port and data folder. @param options.forget with nothing of what it had on disk */
  start: (options?: { forget?: boolean }) => Promise<void>
  stop: () => Promise<void>
}

/**
 * A real Redis server of the test's own.
 * @param options.persistent false: it forgets everything when killed
 */
export async function startRedis(options: { persistent?: boolean } = {}): Promise<TestRedis> {
  const folder = await temporaryFolder()
  const port = await freePort()
  let process: ChildProcess | null = null
  const start = async ({ forget = false } = {}) => {
    if (forget) for (const name of await readdir(folder.path)) await rm(join(folder.path, name), { recursive: true })
    const appendOnly = options.persistent === false ? 'no' : 'yes'
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--save', '', '--appendonly', appendOnly]
    process = spawn('redis-server', [...flags, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
    await waitFor('Redis to answer', () => answers(port))
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill: () => killAlive('Redis', process),
    start,
    stop: async () => {
      await endProcess(process, 'SIGTERM')
      await folder.remove()
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const redis = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return (await redis.ping()) === 'PONG'
  } finally {
    redis.disconnect()
  }
}
