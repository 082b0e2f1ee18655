import { join } from 'node:path'
import { pino } from 'pino'
import type { CreateTask, Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { createArtifacts } from '../../../coordinator/artifacts/artifacts.ts'
import { createLeases } from '../../../coordinator/attempts/leases.ts'
import { startIntake } from '../../../coordinator/intake/intake.ts'
import { readConfig } from '../../../coordinator/process/config.ts'
import { openDispatch } from '../../../coordinator/queue/dispatch.ts'
import { startReconcile } from '../../../coordinator/reconcile/reconcile.ts'
import { createSecrets } from '../../../coordinator/secrets/secrets.ts'
import { createLedger } from '../../../coordinator/store/ledger.ts'
import { openDatabase } from '../../../coordinator/store/sqlite/database.ts'
import type { User } from '../../../coordinator/store/user.ts'
import { createTasks } from '../../../coordinator/tasks/tasks.ts'
import { connectRedis } from '../../../coordinator/wire/redis.ts'
import { createSendToRunner } from '../../../coordinator/wire/send-to-runner.ts'
import { createSignatures } from '../../../coordinator/wire/signatures.ts'
import { createScriptedRunner, type TakenLease, taken } from '../scripted/scripted-runner.ts'
import { temporaryFolder } from './temporary.ts'

export type Core = Awaited<ReturnType<typeof startCore>>

/**
 * The coordinator without HTTP and sockets, on a real Redis and a real database: what it would tell clients is kept in `told`.
 * @param options.leaseMs how long after its start leases are judged
 */
export async function startCore(options: {
  redisUrl: string
  environment?: Record<string, string>
  leaseMs?: number
  slots?: number
}) {
  const folder = await temporaryFolder()
  const config = readConfig({ ERRAND_DATA_DIR: folder.path, REDIS_URL: options.redisUrl, ...options.environment })
  const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })
  const db = await openDatabase(join(folder.path, 'errand.db'))
  const redis = await connectRedis(options.redisUrl, log)
  const signatures = createSignatures(createSecrets(Buffer.alloc(32, 7)).deriveKey)
  const sendToRunner = createSendToRunner(redis, signatures)
  const told: { userId: string; event: TaskEvent }[] = []
  const summaries: Task[] = []
  const ledger = createLedger(db, {
    events: (userId, events) => told.push(...events.map((event) => ({ userId, event }))),
    task: (_userId, task) => summaries.push(task),
  })
  const dispatch = openDispatch({ db, redis, signatures, log })
  const artifacts = await createArtifacts(db, folder.path)
  const demoRepoUrl = 'http://127.0.0.1:3000/demo/git/hello.git'
  const tasks = createTasks({ config, demoRepoUrl, db, ledger, dispatch, artifacts, sendToRunner, log })
  const secretsFor = async () => ({
    repo: { upstream: 'https://github.com/a/b', username: null, token: null },
    modelApi: { baseUrl: '/demo/model', key: 'key' },
  })
  const leases = createLeases({ config, db, ledger, signatures, secretsFor, log, onRunner: dispatch.nudge })
  const intake = await startIntake({
    ...{ redis, ledger, signatures, sendToRunner, log },
    onEnded: dispatch.nudge,
    onBatch: () => undefined,
  })
  const reconcile = startReconcile({
    db,
    ledger,
    dispatch,
    log,
    ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
  })
  const runner = await createScriptedRunner(options.redisUrl)

  const addUser = async (name: string): Promise<User> => {
    const user = { id: `usr_${name}`, name, avatarUrl: null, admin: false }
    await db
      .insertInto('users')
      .values({
        ...{ id: user.id, identity: `test:${name}`, name, avatar_url: null, admin: 0, github_token: null },
        ...{ last_released_at: 0, created_at: Date.now() },
      })
      .execute()
    return user
  }
  const create = async (user: User, input: Partial<CreateTask> = {}): Promise<Task> =>
    (await tasks.create(user, { repoUrl: 'https://github.com/a/b', prompt: 'Fix the test', ...input })).task
  /** Takes the task's turn out of the queue as a runner would, lease and all. */
  const lease = async (taskId: string, turn?: number, runnerId = runner.id): Promise<TakenLease> => {
    const answer = await leases.grant({
      job: await runner.job(taskId, turn),
      runner: { id: runnerId, name: 'A', slots: options.slots ?? 100 },
    })
    if (!answer.granted) throw new Error(`refused: ${answer.refusal}`)
    return taken(answer.lease)
  }
  /** A task's history in words, without what no conversation is about. */
  const history = async (user: User, taskId: string): Promise<string[]> =>
    (await tasks.events(user.id, taskId, { after: 0, limit: 1000 })).events
      .filter(({ type }) => type.startsWith('message.') || type === 'task.ended' || type === 'attempt.started')
      .map((event) => {
        if (event.type === 'message.received') return `received ${event.data.text} (${event.data.mode}, turn ${event.data.turn})`
        if (event.type === 'task.ended') return `ended turn ${event.data.turn} ${event.data.status}`
        if (event.type === 'attempt.started') return `started turn ${event.data.turn}`
        return event.type
      })
  const messages = async (user: User, taskId: string): Promise<string[]> =>
    (await tasks.messages(user.id, taskId)).map(({ text, state, turn }) => `${text}: ${state} ${turn}`)
  return {
    ...{ db, redis, log, config, signatures, ledger, dispatch, artifacts, tasks, leases, runner, told, summaries },
    ...{ addUser, create, lease, history, messages },
    stop: async () => {
      await reconcile.stop()
      await intake.stop()
      await dispatch.stop()
      await runner.close()
      redis.close()
      await db.destroy()
      await folder.remove()
    },
  }
}
