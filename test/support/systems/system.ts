import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import type { CreateTask, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { ClientToServer, ServerToClient } from '../../../contract/api/socket.ts'
import { isEnded } from '../../../contract/api/status.ts'
import { endProcess, isAlive, killAlive } from '../checks/kill.ts'
import { waitFor } from '../checks/wait.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { freePort, temporaryFolder } from './temporary.ts'

/** A process of ours as `npm start` runs it, that a test can kill and start again. */
export type Process = {
  start: () => Promise<void>
  /** SIGKILL. @throws Error unless it was alive */
  kill: () => Promise<void>
  stop: () => Promise<void>
  log: () => string
  pid: () => number
  isAlive: () => boolean
}

export type System = {
  url: string
  token: string
  dataDir: string
  redis: TestRedis
  coordinator: Process
  runners: Process[]
  api: <T = unknown>(
    path: string,
    init?: { method?: string; body?: unknown; token?: string },
  ) => Promise<{ status: number; body: T }>
  send: (task: CreateTask, token?: string) => Promise<Task>
  task: (id: string, token?: string) => Promise<Task>
  /** The whole list of events, from REST. */
  events: (id: string, token?: string) => Promise<TaskEvent[]>
  ended: (id: string, timeoutMs?: number, token?: string) => Promise<Task>
  /** A client that only connects. */
  connect: (token?: string) => Socket<ServerToClient, ClientToServer>
  stop: () => Promise<void>
}

/**
 * The whole river, each part a process of its own: Redis, the coordinator, and as many runners as asked for, with real containers.
 * @param options.environment for the coordinator, beside what it needs to run here
 * @param options.runners environment of each runner
 */
export async function startSystem(
  options: { environment?: Record<string, string>; runners?: Array<Record<string, string>>; redisPersistent?: boolean } = {},
): Promise<System> {
  const folder = await temporaryFolder()
  const redis = await startRedis({ persistent: options.redisPersistent ?? true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const dataDir = join(folder.path, 'data')

  const coordinator = childProcess('coordinator/main.ts', {
    ERRAND_PORT: String(port),
    ERRAND_DATA_DIR: dataDir,
    REDIS_URL: redis.url,
    ...options.environment,
  })
  const ready = async () => (await fetch(`${url}/readyz`)).ok
  const startCoordinator = async () => {
    await coordinator.start()
    await waitFor(
      'the coordinator to be ready',
      async () => {
        if (!coordinator.isAlive()) throw new Error(`the coordinator ended:\n${coordinator.log()}`)
        return ready()
      },
      60_000,
    )
  }
  await startCoordinator()
  const token = (await readFile(join(dataDir, 'owner-token'), 'utf8')).trim()
  const runnerToken = (await readFile(join(dataDir, 'runner-token'), 'utf8')).trim()

  const runners = (options.runners ?? [{}]).map((environment, index) =>
    childProcess('runner/main.ts', {
      COORDINATOR_URL: url,
      RUNNER_TOKEN: runnerToken,
      REDIS_URL: redis.url,
      RUNNER_SLOTS: '1',
      RUNNER_NAME: `runner-${index + 1}`,
      RUNNER_DATA_DIR: join(folder.path, `r${index + 1}`),
      ...environment,
    }),
  )
  await Promise.all(runners.map((runner) => runner.start()))

  const api: System['api'] = async (path, init = {}) => {
    const response = await fetch(url + path, {
      method: init.method ?? 'GET',
      headers: { authorization: `Bearer ${init.token ?? token}`, ...(init.body ? { 'content-type': 'application/json' } : {}) },
      ...(init.body ? { body: JSON.stringify(init.body) } : {}),
    })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json')
    return { status: response.status, body: (json ? JSON.parse(text) : text) as never }
  }
  const task = async (id: string, as?: string) => (await api<Task>(`/api/tasks/${id}`, as ? { token: as } : {})).body
  const describe = async (id: string, error: unknown) =>
    new Error(
      `${String(error)}\n--- coordinator\n${coordinator.log().slice(-4000)}\n--- runners\n${runners.map((r) => r.log().slice(-6000)).join('\n---\n')}\n(task ${id})`,
    )

  return {
    url,
    token,
    dataDir,
    redis,
    coordinator: { ...coordinator, start: startCoordinator },
    runners,
    api,
    task,
    send: async (body, as) => {
      const answer = await api<Task>('/api/tasks', { method: 'POST', body, ...(as ? { token: as } : {}) })
      if (answer.status !== 201) throw new Error(`POST /api/tasks: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    events: async (id, as) => {
      const events: TaskEvent[] = []
      for (;;) {
        const after = events.at(-1)?.seq ?? 0
        const page = (
          await api<{ events: TaskEvent[]; more: boolean }>(`/api/tasks/${id}/events?after=${after}`, as ? { token: as } : {})
        ).body
        events.push(...page.events)
        if (!page.more) return events
      }
    },
    ended: async (id, timeoutMs = 60_000, as) => {
      try {
        return await waitFor(
          `task ${id} to end`,
          async () => {
            const now = await task(id, as)
            return isEnded(now.status) && now
          },
          timeoutMs,
          200,
        )
      } catch (error) {
        throw await describe(id, error)
      }
    },
    connect: (as) => io(url, { auth: { token: as ?? token }, transports: ['websocket'], reconnectionDelay: 50, forceNew: true }),
    stop: async () => {
      await Promise.all(runners.map((runner) => runner.stop()))
      await coordinator.stop()
      await redis.stop()
      await folder.remove()
    },
  }
}

function childProcess(main: string, environment: Record<string, string>): Process {
  let child: ChildProcess | null = null
  let output = ''
  return {
    start: async () => {
      const { PATH, HOME, DOCKER_HOST, RUNNER_IMAGE } = process.env
      child = spawn(process.execPath, [...process.execArgv.filter((flag) => flag.includes('max-old')), '--import', 'tsx', main], {
        env: { PATH, HOME, DOCKER_HOST, RUNNER_IMAGE, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const keep = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-200_000)
      }
      child.stdout?.on('data', keep)
      child.stderr?.on('data', keep)
      await once(child, 'spawn')
    },
    kill: () => killAlive(main, child),
    stop: async () => void (await endProcess(child, 'SIGTERM')),
    log: () => output,
    pid: () => child?.pid ?? 0,
    isAlive: () => isAlive(child),
  }
}
