import { execa } from 'execa'
import { ORPHANED_MS } from '../../../contract/wire/deadlines.ts'
import { LABELS } from '../../../contract/wire/names.ts'
import { containersOf, storedTask } from '../../support/checks/traces.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { hasEnded } from '../tasks.ts'
import type { Worker, World } from '../world.ts'
import { awhile, endAndStart, type Hurt, type Place, partsOf, pick } from './hurt.ts'

/* Faults of processes: killed, restarted, paused. */

export const killRunner: Hurt = (place) => endAndStart(place, pick(place.random, place.world.runners), 'SIGKILL')

export const killRunners: Hurt = async (place) => {
  await Promise.all(place.world.runners.map((runner) => endAndStart(place, runner, 'SIGKILL')))
}

export const killCoordinator: Hurt = (place) => endAndStart(place, partsOf(place.world)[0] as Worker, 'SIGKILL')

export const drainRunner: Hurt = (place) => endAndStart(place, pick(place.random, place.world.runners), 'SIGINT')

/** A deploy of each part, one after the other, in an order that chance names. */
export const deployInTurn: Hurt = async (place) => {
  for (const part of place.random.shuffled(partsOf(place.world))) await endAndStart(place, part, 'SIGTERM')
}

/** A deploy of all parts at once. Each comes back when it does. */
export const deployAtOnce: Hurt = async (place) => {
  await Promise.all(partsOf(place.world).map((part) => endAndStart(place, part, 'SIGTERM')))
}

export const killRedis: Hurt = ({ world, random }) => restartRedis({ world, random }, false)

export const killRedisForgetful: Hurt = ({ world, random }) => restartRedis({ world, random }, true)

/** Every process at once, Redis too. The engine and its containers live on. */
export const killEverything: Hurt = async (place) => {
  const forget = place.random.percent(50)
  await Promise.all([...partsOf(place.world).map((part) => endAndStart(place, part, 'SIGKILL')), restartRedis(place, forget)])
}

/** The power of the host: the containers die too. */
export const cutPower: Hurt = async (place) => {
  await Promise.all([...place.world.runners.map(killContainers), killEverything(place)])
}

/** One container of a task dies, and nobody was told. */
export const killSandbox: Hurt = async ({ world, random }) => {
  const ids = (await Promise.all(world.runners.map(containersOfRunner))).flat()
  if (ids.length === 0) return world.note('no container to kill')
  world.note('docker kill of a container')
  await execa('docker', ['kill', pick(random, ids)], { reject: false })
}

/** A runner and its containers are gone for good; its successor on that host starts only when the tasks went on elsewhere. */
export const loseRunner: Hurt = async ({ world, random, tasks }) => {
  const runner = pick(random, world.runners)
  const held = heldBy({ world, tasks }, runner)
  world.note(`${runner.name} is lost with ${held.length} tasks`)
  await runner.process.kill()
  await killContainers(runner)
  await untilElsewhere(world, held)
  await runner.process.start()
  world.note(`${runner.name} is started again`)
}

/** How soon a container of an attempt that is no longer the current one is gone, once its runner can act again. */
const GONE_MS = 10_000

/** A runner that stands still until others have its tasks, for three leases at least, and then goes on as if nothing had been. */
export const pauseRunner: Hurt = async ({ world, random, tasks }) => {
  const runner = pick(random, world.runners)
  const held = heldBy({ world, tasks }, runner)
  world.note(`SIGSTOP to ${runner.name} with ${held.length} tasks`)
  process.kill(runner.process.pid(), 'SIGSTOP')
  const since = performance.now()
  try {
    await untilElsewhere(world, held)
    await waitFor('three leases to pass', () => performance.now() - since > 2 * ORPHANED_MS, 2 * ORPHANED_MS + 1_000)
  } finally {
    process.kill(runner.process.pid(), 'SIGCONT')
  }
  const awake = performance.now()
  world.note(`SIGCONT to ${runner.name}`)
  const old = async () => {
    const containers = await Promise.all(
      held.map(({ id, attempt }) => containersOf(id).then((all) => all.filter((one) => one.attempt === attempt))),
    )
    return containers.flat()
  }
  const gone = await waitFor('the old containers to be gone', async () => (await old()).length === 0, GONE_MS).catch(() => false)
  if (gone) world.note(`the old containers are gone after ${((performance.now() - awake) / 1000).toFixed(1)} s`)
  else world.faults.push(`${runner.name} woke up, and a container of an old attempt was still there after ${GONE_MS / 1000} s`)
}

type Held = { id: string; attempt: number }

/** Tasks whose current attempt this runner has. */
function heldBy({ world, tasks }: Pick<Place, 'world' | 'tasks'>, { name }: Worker): Held[] {
  return tasks.flatMap((task) => {
    if (hasEnded(world, task)) return []
    const { status, attempts } = storedTask(world.system.dataDir, task.id)
    const current = attempts.at(-1)
    return status === 'running' && current?.runner_name === name && !current.ended_at
      ? [{ id: task.id, attempt: current.attempt }]
      : []
  })
}

/** A lease runs out, and then some: for the queue, and for slots that other tasks have. */
const ELSEWHERE_MS = 180_000

async function untilElsewhere({ system }: World, held: readonly Held[]): Promise<void> {
  for (const { id, attempt } of held)
    await waitFor(
      `${id} to go on elsewhere`,
      () => {
        const now = storedTask(system.dataDir, id)
        return now.attempt > attempt || (now.status !== 'running' && now.status !== 'pending')
      },
      ELSEWHERE_MS,
      200,
    )
}

async function restartRedis({ world, random }: Pick<Place, 'world' | 'random'>, forget: boolean): Promise<void> {
  world.note(`SIGKILL to Redis, which ${forget ? 'forgets everything' : 'has its file'}`)
  await world.system.redis.kill()
  await awhile(random)
  await world.system.redis.start({ forget })
  world.note('Redis is started again')
}

async function killContainers(runner: Worker): Promise<void> {
  const ids = await containersOfRunner(runner)
  if (ids.length > 0) await execa('docker', ['kill', ...ids], { reject: false })
}

async function containersOfRunner({ process }: Worker): Promise<string[]> {
  const runnerId = /"runner.started","runner":"([^"]+)"/.exec(process.log())?.[1]
  if (!runnerId) return []
  const { stdout } = await execa('docker', ['ps', '--quiet', '--filter', `label=${LABELS.runner}=${runnerId}`])
  return stdout.split('\n').filter(Boolean)
}
