import { programCommand } from '../build/program.ts'
import { GRACE_MS, type Part, partVariable } from '../process/left-overs.ts'
import { type Command, keepRunning, type Supervised } from '../process/processes.ts'
import { waitUntilWell } from '../process/wait.ts'
import type { RedisChoice } from '../redis/redis.ts'
import { answers } from '../redis/redis-check.ts'
import { coordinatorVariables, type Environment, type Found, localUrl, runnerVariables, type Variables } from './environment.ts'
import { readOwnerToken, serverFault } from './server.ts'

export type Stack = Readonly<{
  url: string
  token: string
  pids: () => Record<string, number>
  /** Stops runner, coordinator and Redis, each before the one it needs. `force` skips the waiting. */
  stop: (force: AbortSignal, runnerSignal?: RunnerSignal) => Promise<void>
}>

/** SIGINT: the agents save their work. SIGTERM: the sandboxes run on for the next runner. */
export type RunnerSignal = 'SIGINT' | 'SIGTERM'

const START_MS = 60_000

/**
 * Starts Redis (if it is ours), the coordinator and one runner, in this order, and keeps them running.
 * @param changed called whenever one of them gets a new pid
 * @throws Error if one of them does not start; the others are stopped
 */
export async function startStack(
  environment: Environment,
  redis: RedisChoice,
  found: Found,
  changed: () => void,
): Promise<Stack> {
  const running = new Map<Part, Supervised>()
  const keep = (name: Part, command: Command, variables: Variables): Supervised => {
    const write = (line: string) => console.log(`${name.padEnd(11)} | ${line}`)
    const marked = { ...variables, ...partVariable(name, environment.dataDir) }
    const supervised = keepRunning({ name, command, variables: marked, folder: environment.root, write, started: changed })
    running.set(name, supervised)
    return supervised
  }
  const stop: Stack['stop'] = async (force, runnerSignal = 'SIGINT') => {
    for (const [name, supervised] of [...running].reverse()) {
      console.log(`Stopping ${name} …`)
      await supervised.stop(GRACE_MS[name], force, name === 'runner' ? runnerSignal : 'SIGTERM')
    }
  }
  try {
    if (redis.command) {
      const own = keep('redis', redis.command, environment.variables)
      const look = async () => ((await answers(redis.url)) ? null : 'it does not answer')
      await waitUntilWell('Redis', look, START_MS, own.firstEnd)
    }
    const url = localUrl(environment.host, found.port)
    const coordinator = keep(
      'coordinator',
      await programCommand(environment.root, 'coordinator'),
      coordinatorVariables(environment, found),
    )
    await waitUntilWell('The coordinator', () => serverFault(url), START_MS, coordinator.firstEnd)
    keep('runner', await programCommand(environment.root, 'runner'), runnerVariables(environment, found))
    return { url, token: await readOwnerToken(environment.dataDir), pids: () => pidsOf(running), stop }
  } catch (error) {
    await stop(new AbortController().signal)
    throw error
  }
}

function pidsOf(running: ReadonlyMap<Part, Supervised>): Record<string, number> {
  const pids: Record<string, number> = {}
  for (const [name, supervised] of running) {
    const pid = supervised.pid()
    if (pid) pids[name] = pid
  }
  return pids
}
