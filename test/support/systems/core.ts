import { pino } from 'pino'
import type { CreateTask, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'
import { CONTRACT_VERSION, type HeldAttempt, type RunnerIdentity } from '../../../contract/wire/lease.ts'
import type { Leases } from '../../../coordinator/attempts/leases.ts'
import { createPresence } from '../../../coordinator/live/serve-socket.ts'
import { type Core as OpenCore, openCore } from '../../../coordinator/open-core.ts'
import { readConfig } from '../../../coordinator/process/config.ts'
import { createStopList } from '../../../coordinator/process/stop-list.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { proveHolder } from '../../../runner/river/signatures.ts'
import { waitFor } from '../checks/wait.ts'
import { createScriptedRunner, type TakenLease, taken } from '../scripted/scripted-runner.ts'
import { startRedis } from './redis.ts'
import { temporaryFolder } from './temporary.ts'

export type Core = Awaited<ReturnType<typeof startCore>>

type CoreOptions = {
  /** Left out: one of its own. */
  redisUrl?: string
  environment?: Record<string, string>
  /** How long after its start the core judges leases. */
  leaseMs?: number
  /** Slots of the scripted runner. */
  slots?: number
}

/**
 * The coordinator without HTTP and sockets, as `start()` opens it, on a real Redis and a real database, with a scripted runner. `told` and
 * `summaries` keep what clients would be told.
 */
export async function startCore({ redisUrl, environment, leaseMs, slots = 100 }: CoreOptions = {}) {
  const redis = redisUrl === undefined ? await startRedis() : { url: redisUrl, stop: async () => undefined }
  const folder = await temporaryFolder()
  const config = readConfig({ ERRAND_DATA_DIR: folder.path, REDIS_URL: redis.url, ...environment })
  const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })
  const stopping = createStopList(log)
  const told: { userId: string; event: TaskEvent }[] = []
  const summaries: Task[] = []
  const deleted: string[] = []
  const onlookers = {
    audience: {
      events: (userId: string, events: readonly TaskEvent[]) => told.push(...events.map((event) => ({ userId, event }))),
      task: (_userId: string, task: Task) => summaries.push(task),
      deleted: (_userId: string, taskId: string) => deleted.push(taskId),
    },
    showDelta: () => undefined,
    isWatched: () => false,
    countSockets: () => 0,
    presence: createPresence(),
  }
  stopping.add('redis', redis.stop)
  stopping.add('folder', folder.remove)
  const core = await openCore({ config, log, stopping, onlookers, ...(leaseMs !== undefined && { leaseMs }) })
  const runner = await createScriptedRunner(redis.url)
  stopping.add('runner', runner.close)

  const leases = asRealRunner(core)
  const untilStatus = (user: User, taskId: string, status: TaskStatus) =>
    waitFor(`${taskId} to be ${status}`, async () => (await core.tasks.find(user.id, taskId)).status === status)
  return {
    ...core,
    leases,
    runner,
    told,
    summaries,
    deleted,
    addUser: (name: string) => addUser(core, name),
    create: async (user: User, input: Partial<CreateTask> = {}): Promise<Task> =>
      (await core.tasks.create(user, { repoUrl: 'https://github.com/a/b', prompt: 'Fix the test', ...input })).task,
    /** Takes the task's turn out of the queue as a runner does, with its lease. */
    lease: async (taskId: string, turn?: number, runnerId = runner.id): Promise<TakenLease> => {
      const job = await runner.job(taskId, turn)
      const answer = await leases.grant({ job, runner: { id: runnerId, name: 'A', slots } })
      if (!answer.granted) throw new Error(`refused: ${answer.refusal}`)
      return taken(answer.lease)
    },
    /** Waits until the task has this status. */
    untilStatus,
    history: (user: User, taskId: string) => describeHistory(core, user, taskId),
    messages: async (user: User, taskId: string): Promise<string[]> =>
      (await core.tasks.messages(user.id, taskId)).map(({ text, state, turn }) => `${text}: ${state} ${turn}`),
    stop: stopping.run,
  }
}

/** The leases as a real runner asks for them: with today's contract, and with its proofs. */
function asRealRunner({ leases, signatures }: OpenCore): Leases {
  const proven = ({ taskId, attempt, proof }: HeldAttempt): HeldAttempt => {
    const right = proveHolder(signatures.attemptKey(taskId, attempt), taskId, attempt)
    return { taskId, attempt, proof: proof ?? right }
  }
  const known = (runner: RunnerIdentity) => ({ contract: CONTRACT_VERSION, ...runner })
  return {
    ...leases,
    grant: ({ job, runner }) => leases.grant({ job, runner: known(runner) }),
    renew: ({ runner, attempts }) => leases.renew({ runner: known(runner), attempts: attempts.map(proven) }),
  }
}

async function addUser({ db }: OpenCore, name: string): Promise<User> {
  const user = { id: `usr_${name}`, name, avatarUrl: null, admin: false }
  const row = { id: user.id, identity: `test:${name}`, name, avatar_url: null, admin: 0 as const, github_token: null }
  await db
    .insertInto('users')
    .values({ ...row, last_released_at: 0, created_at: Date.now() })
    .execute()
  return user
}

/** The messages, starts and ends of a task's history, in words. */
async function describeHistory({ tasks }: OpenCore, user: User, taskId: string): Promise<string[]> {
  const { events } = await tasks.events(user.id, taskId, { after: 0, limit: 1000 })
  return events
    .filter(({ type }) => type.startsWith('message.') || type === 'task.ended' || type === 'attempt.started')
    .map((event) => {
      if (event.type === 'message.received') return `received ${event.data.text} (${event.data.mode}, turn ${event.data.turn})`
      if (event.type === 'task.ended') return `ended turn ${event.data.turn} ${event.data.status}`
      if (event.type === 'attempt.started') return `started turn ${event.data.turn}`
      return event.type
    })
}
