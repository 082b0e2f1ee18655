import { Redis } from 'ioredis'
import { waitFor } from '../../support/checks/wait.ts'
import type { TcpProxy } from '../../support/outside/tcp-proxy.ts'
import { cancelTask, sendTask } from '../tasks.ts'
import { promptOf } from '../workload.ts'
import { awhile, type Hurt, type Place, pick } from './hurt.ts'

/* Faults between the processes, in what they stand on, and of the people who use them. */

export const cutCoordinator: Hurt = (place) => cutWay(place, 'the coordinator', ({ toCoordinator }) => toCoordinator)

export const cutRedis: Hurt = (place) => cutWay(place, 'Redis', ({ toRedis }) => toRedis)

/** The engine's socket is gone, as when it is restarted with live-restore; the containers run on. */
export const cutEngine: Hurt = async ({ world, random }) => {
  const { name, toEngine } = pick(random, world.runners)
  world.note(`${name} loses the engine`)
  await toEngine.cut()
  await awhile(random)
  await toEngine.mend()
  world.note(`${name} has the engine back`)
}

export const flushRedis: Hurt = ({ world }) =>
  asAdmin(world.system.redis.url, async (redis) => {
    world.note('FLUSHALL')
    await redis.flushall()
  })

/** No command that needs memory works, for a while. */
export const fillRedis: Hurt = ({ world, random }) =>
  asAdmin(world.system.redis.url, async (redis) => {
    world.note('Redis is full')
    await redis.config('SET', 'maxmemory', '1')
    await awhile(random)
    await redis.config('SET', 'maxmemory', '0')
    world.note('Redis has room again')
  })

/** The person's phone loses the network three times. */
export const cutClient: Hurt = async ({ world, random }) => {
  for (let count = 0; count < 3; count++) {
    world.note('the client is cut off')
    world.recorder.cut()
    await awhile(random, 1_500)
  }
}

/** Each task is cancelled at a moment of its own, some in the middle of a restart of the coordinator. */
export const cancelTasks: Hurt = async (place) => {
  const { world, random, tasks } = place
  await Promise.all(
    tasks.map(async (task) => {
      await awhile(random, 6_000)
      await cancelTask(world, task)
    }),
  )
}

/** The same task is sent fifty times at once, as by a client that got no answer. */
export const sendFiftyTimes: Hurt = async ({ world, random, tasks }) => {
  const name = `same-${random.between(0, 1_000_000_000)}`
  const body = { repoUrl: world.repository.url, prompt: promptOf(name), clientId: `faults-${name}` }
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => world.system.api<{ id: string }>('/api/tasks', { method: 'POST', body })),
  )
  const ids = new Set(answers.flatMap(({ status, body }) => (status < 300 ? [body.id] : [])))
  world.note(
    `50 times the same request: ${ids.size} tasks, statuses ${[...new Set(answers.map(({ status }) => status))].join(', ')}`,
  )
  if (ids.size > 1) world.faults.push(`one idempotency key made ${ids.size} tasks: ${[...ids].join(', ')}`)
  tasks.push(
    await sendTask(
      world,
      name,
      tasks.every(({ oneAttempt }) => oneAttempt),
    ),
  )
}

/** What was open stays open and carries nothing any more; what is new does not either, until the way is back. */
async function cutWay({ world, random }: Place, where: string, wayOf: (worker: Place['world']['runners'][number]) => TcpProxy) {
  const worker = pick(random, world.runners)
  world.note(`${worker.name} loses ${where}`)
  const way = wayOf(worker)
  way.block(true)
  await awhile(random)
  way.block(false)
  world.note(`${worker.name} has ${where} back`)
}

async function asAdmin(url: string, act: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  try {
    await waitFor('Redis to answer', () => redis.status === 'ready', 10_000)
    await act(redis)
  } finally {
    redis.disconnect()
  }
}
