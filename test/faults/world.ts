import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { type EngineProxy, startEngineProxy } from '../support/outside/engine-proxy.ts'
import { startTcpProxy, type TcpProxy } from '../support/outside/tcp-proxy.ts'
import { giveAccess, type Outside, startOutside } from '../support/systems/outside.ts'
import type { Process } from '../support/systems/process.ts'
import { temporaryFolder } from '../support/systems/temporary.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { createWorkload, LEDGER, type Workload } from './workload.ts'

/** A whole installation that faults are done to: two runners, each with a way of its own to the coordinator, to Redis and to the engine. */
export type World = Outside & {
  runners: [Worker, Worker]
  repository: { url: string; path: string }
  workload: Workload
  recorder: Recorder
  /** What is done, with its time: the report shows it where something is broken. */
  note: (text: string) => void
  notes: string[]
  /** What a fault itself found broken, such as a container that stays. */
  faults: string[]
}

/** A runner with what leads to it. */
export type Worker = {
  name: string
  process: Process
  folder: string
  toCoordinator: TcpProxy
  toRedis: TcpProxy
  toEngine: EngineProxy
}

const SLOTS = 2

/** @param redisPersistent false: a Redis that is killed has forgotten everything */
export async function startWorld({ redisPersistent = true } = {}): Promise<World> {
  const sockets = await temporaryFolder()
  const ways = [await openWays(join(sockets.path, '1.sock')), await openWays(join(sockets.path, '2.sock'))]
  const workload = createWorkload()
  const outside = await startOutside({
    policy: workload.policy,
    redisPersistent,
    runners: ways.map(({ toCoordinator, toRedis, toEngine }) => ({
      RUNNER_SLOTS: String(SLOTS),
      COORDINATOR_URL: toCoordinator.url,
      REDIS_URL: toRedis.url.replace('http:', 'redis:'),
      DOCKER_HOST: `unix://${toEngine.path}`,
    })),
  })
  const { system } = outside
  const [first, second] = system.runners.map((process, index): Worker => {
    const own = ways[index] as Ways
    own.toCoordinator.leadTo(system.url)
    own.toRedis.leadTo(system.redis.url)
    const name = `runner-${index + 1}`
    return { ...own, name, process, folder: join(dirname(system.dataDir), `r${index + 1}`) }
  })
  const repository = await outside.git.addRepository('ada/ledger', { files: { [LEDGER]: '# Ledger\n' } })
  await execa('git', ['-C', repository.path, 'config', 'core.logAllRefUpdates', 'always'])
  await giveAccess(outside)
  const recorder = openRecorder(system)
  const since = performance.now()
  const notes: string[] = []
  return {
    ...outside,
    runners: [first as Worker, second as Worker],
    repository,
    workload,
    recorder,
    notes,
    note: (text) => void notes.push(`${((performance.now() - since) / 1000).toFixed(1)} s ${text}`),
    faults: [],
    stop: async () => {
      recorder.close()
      await outside.stop()
      for (const way of ways) await closeWays(way)
      await sockets.remove()
    },
  }
}

type Ways = Pick<Worker, 'toCoordinator' | 'toRedis' | 'toEngine'>

async function openWays(enginePath: string): Promise<Ways> {
  return {
    toCoordinator: await startTcpProxy(),
    toRedis: await startTcpProxy(),
    toEngine: await startEngineProxy(enginePath, engineSocket()),
  }
}

async function closeWays({ toCoordinator, toRedis, toEngine }: Ways): Promise<void> {
  await Promise.all([toCoordinator.stop(), toRedis.stop(), toEngine.cut()])
}

function engineSocket(): string {
  return (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')
}
