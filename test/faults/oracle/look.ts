import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { execa } from 'execa'
import { Redis } from 'ioredis'
import type { TaskEvent } from '../../../contract/api/event.ts'
import { EVENT_STREAM, jobId, LABELS, QUEUE_NAME } from '../../../contract/wire/names.ts'
import type { AttemptRow } from '../../../coordinator/store/attempts.ts'
import type { TaskRow } from '../../../coordinator/store/tasks.ts'
import { withSqlite } from '../../support/systems/database.ts'
import type { Sent } from '../tasks.ts'
import type { World } from '../world.ts'
import { lookAtBranch } from './look-at-branch.ts'
import type { SeenEvent, SeenLeft, SeenTask, StoredRow } from './seen.ts'

/** Looks at a task from all sides: the store, REST, the socket client, the repository and the model. */
export async function lookAt(world: World, { name, id, deserves, oneAttempt }: Sent): Promise<SeenTask> {
  const { system, recorder, workload, repository } = world
  return {
    name,
    id,
    deserves,
    oneAttempt,
    stored: storedRow(system.dataDir, id),
    rest: (await system.events(id)).map(asSeen),
    heard: recorder.events(id).map(asSeen),
    calls: workload.callsOf(name),
    ...(await lookAtBranch(repository.path, (await system.task(id)).branch, name)),
  }
}

/** Looks for what is left of tasks that have ended. */
export async function lookForLeft(world: World, tasks: readonly Sent[]): Promise<SeenLeft> {
  const redis = new Redis(world.system.redis.url, { maxRetriesPerRequest: 1 })
  redis.on('error', () => undefined)
  try {
    return {
      containers: (await Promise.all(world.runners.map(({ folder }) => containersOf(folder)))).flat(),
      files: (await Promise.all(world.runners.map(({ folder }) => filesIn(folder)))).flat(),
      streamEntries: await redis.xlen(EVENT_STREAM),
      jobs: await openJobs(redis, tasks),
      integrity: withSqlite(join(world.system.dataDir, 'errand.db'), (database) =>
        String(database.pragma('integrity_check', { simple: true })),
      ),
      refusals: world.model.refusals.map(({ message }) => message),
    }
  } finally {
    redis.disconnect()
  }
}

function storedRow(dataDir: string, taskId: string): StoredRow | null {
  return withSqlite(join(dataDir, 'errand.db'), (database) => {
    const task = database.prepare<[string], TaskRow>('select * from tasks where id = ?').get(taskId)
    if (!task) return null
    const attempts = database.prepare<[string], AttemptRow>('select * from attempts where task_id = ? order by attempt')
    const events = database.prepare<[string], StoredEvent>('select * from events where task_id = ? order by seq')
    return {
      status: task.status,
      reason: task.reason,
      attempt: task.attempt,
      lastSeq: task.last_seq,
      costUsd: task.cost_usd,
      attempts: attempts.all(taskId),
      events: events.all(taskId).map(({ seq, attempt, type, data, n }) => ({ seq, attempt, type, n, data: JSON.parse(data) })),
    }
  })
}

type StoredEvent = { seq: number; attempt: number; n: number | null; type: string; data: string }

function asSeen({ seq, attempt, type, data }: TaskEvent): SeenEvent {
  return { seq, attempt, type, data, n: null }
}

/** Of one runner, by its label: another runner of this engine is none of ours. */
async function containersOf(folder: string): Promise<string[]> {
  const runnerId = (await readFile(join(folder, 'runner-id'), 'utf8')).trim()
  const format = `{{.Names}} ({{.Label "${LABELS.task}"}}, {{.State}})`
  const args = ['ps', '--all', '--filter', `label=${LABELS.runner}=${runnerId}`, '--format', format]
  return (await execa('docker', args)).stdout.split('\n').filter(Boolean)
}

async function filesIn(folder: string): Promise<string[]> {
  const parts = ['spool', 'doors', 'kept']
  const found = await Promise.all(
    parts.map(async (part) => (await readdir(join(folder, part)).catch(() => [])).map((name) => join(folder, part, name))),
  )
  return found.flat().map((path) => relative(join(folder, '..'), path))
}

/** Whether a runner could still take it: BullMQ keeps the names of those that ended for a while, which is no promise. */
async function openJobs(redis: Redis, tasks: readonly Sent[]): Promise<string[]> {
  const key = (state: string) => `bull:${QUEUE_NAME}:${state}`
  const lists = await Promise.all(['wait', 'active'].map((state) => redis.lrange(key(state), '0', '-1')))
  const sets = await Promise.all(['delayed', 'prioritized'].map((state) => redis.zrange(key(state), '0', '-1')))
  const open = [...lists, ...sets].flat()
  return tasks.map(({ id }) => jobId(id, 1)).filter((job) => open.includes(job))
}
