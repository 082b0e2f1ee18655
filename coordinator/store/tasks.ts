import { sql } from 'kysely'
import type { ListTasks, Task } from '../../contract/api/api.ts'
import { NOBODY_TAKES, type Reason, reasonTextOf } from '../../contract/api/reason.ts'
import { isEnded, type Mover, mayMove, type TaskStatus } from '../../contract/api/status.ts'
import { listQueuePlaces } from './queue-places.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

export type TaskRow = Database['tasks']

/** The summary with the task's place in the queue, as every client sees it. */
export async function summaryOf(db: Store, row: TaskRow): Promise<Task> {
  const waits = row.status === 'pending'
  return taskOf(row, waits ? ((await listQueuePlaces(db)).get(row.id) ?? 0) : null)
}

/** @param queuePosition null for a task that does not wait */
export function taskOf(row: TaskRow, queuePosition: number | null): Task {
  return {
    id: row.id,
    status: row.status,
    reason: row.reason,
    reasonText: row.reason && reasonTextOf(row.status, row.reason),
    repoUrl: row.repo_url,
    baseBranch: row.base_branch,
    branch: row.branch,
    prompt: row.prompt,
    model: row.model,
    budgetUsd: row.budget_usd,
    demo: row.demo === 1,
    turn: row.turn,
    queuePosition,
    diff:
      row.diff_files === null
        ? null
        : { files: row.diff_files, insertions: row.diff_insertions ?? 0, deletions: row.diff_deletions ?? 0 },
    attempt: row.attempt,
    lastSeq: row.last_seq,
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cacheReadTokens: row.cache_read_tokens,
      cacheWriteTokens: row.cache_write_tokens,
      costUsd: row.cost_usd,
    },
    pullRequestUrl: row.pull_request_url,
    createdAt: new Date(row.created_at).toISOString(),
    startedAt: row.started_at === null ? null : new Date(row.started_at).toISOString(),
    completedAt: row.completed_at === null ? null : new Date(row.completed_at).toISOString(),
    error: row.error,
  }
}

export function insertTask(db: Store, row: TaskRow): Promise<unknown> {
  return db.insertInto('tasks').values(row).execute()
}

export function findTask(db: Store, taskId: string): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirst()
}

export function findTaskOfUser(db: Store, userId: string, taskId: string): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('id', '=', taskId).where('user_id', '=', userId).executeTakeFirst()
}

export function findTaskByClientId(db: Store, userId: string, clientId: string): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('user_id', '=', userId).where('client_id', '=', clientId).executeTakeFirst()
}

export type Change = Partial<Omit<TaskRow, 'id' | 'status' | 'last_seq'>>

/** Changes anything but where the task stands. */
export async function updateTask(db: Store, row: TaskRow, change: Change): Promise<TaskRow> {
  await db.updateTable('tasks').set(change).where('id', '=', row.id).execute()
  return { ...row, ...change }
}

/**
 * The only way in which a status changes. What has ended has no time left to be cancelled, and is out of the queue's hands.
 * @throws Error when `by` may not make this move: a fault of ours
 */
export async function moveTask(
  db: Store,
  row: TaskRow,
  to: TaskStatus,
  by: Mover,
  change: Change,
  now: number,
): Promise<TaskRow> {
  if (!mayMove(row.status, to, by)) throw new Error(`task ${row.id}: ${by} may not move it from ${row.status} to ${to}`)
  const ending: Change = isEnded(to) ? { completed_at: now, released_at: null, cancel_requested_at: null } : {}
  const moved = { ...change, ...ending, status: to }
  return updateTask(db, row, moved)
}

/** Newest first. @param before the last one of the page before */
export function listTasks(
  db: Store,
  userId: string,
  { status, search = '', repoUrl, id, limit }: ListTasks,
  before: { createdAt: number; id: string } | null,
): Promise<TaskRow[]> {
  let query = db.selectFrom('tasks').selectAll().where('user_id', '=', userId)
  if (status) query = query.where('status', '=', status)
  if (repoUrl !== undefined) query = query.where('repo_url', '=', repoUrl)
  if (id !== undefined) query = query.where(sql<boolean>`substr(id, 1, ${id.length}) = ${id}`)
  for (const word of search.split(/\s+/).filter(Boolean)) {
    const pattern = `%${word.replace(/[\\%_]/g, '\\$&')}%`
    query = query.where(sql<boolean>`(prompt like ${pattern} escape '\\' or repo_url like ${pattern} escape '\\')`)
  }
  if (before)
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_at', 'id'), '<', tuple(before.createdAt, before.id)))
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export async function countUnderWay(db: Store, userId: string): Promise<number> {
  const { count } = await db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('user_id', '=', userId)
    .where('status', 'in', ['pending', 'running'])
    .executeTakeFirstOrThrow()
  return Number(count)
}

export async function countByStatus(db: Store): Promise<{ status: TaskStatus; count: number }[]> {
  const rows = db.selectFrom('tasks').select(['status', (eb) => eb.fn.countAll().as('count')])
  return (await rows.groupBy('status').execute()).map(({ status, count }) => ({ status, count: Number(count) }))
}

export type Waiting = { taskId: string; turn: number; userId: string; createdAt: number; lastReleasedAt: number }

/** Tasks that wait in the store, the oldest `each` of every user. */
export function listWaiting(db: Store, each: number): Promise<Waiting[]> {
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('tasks')
        .innerJoin('users', 'users.id', 'tasks.user_id')
        .select(['tasks.id as taskId', 'turn', 'user_id as userId', 'tasks.created_at as createdAt'])
        .select('users.last_released_at as lastReleasedAt')
        .select(sql<number>`row_number() over (partition by user_id order by tasks.created_at, tasks.id)`.as('place'))
        .where('status', '=', 'pending')
        .where('released_at', 'is', null)
        .as('waiting'),
    )
    .select(['taskId', 'turn', 'userId', 'createdAt', 'lastReleasedAt'])
    .where('place', '<=', each)
    .execute()
}

/** Of a task that waits: whether this turn had an attempt already, so that it waits for another. */
const WAS_TRIED = sql<boolean>`exists (
  select 1 from attempts where task_id = tasks.id and attempts.attempt = tasks.attempt and attempts.turn = tasks.turn)`

/** Turns in the queue's hands that take or await a slot; those in a pause between two attempts do neither. */
export async function countReleased(db: Store): Promise<number> {
  const { count } = await db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('released_at', 'is not', null)
    .where((eb) => eb.or([eb('status', '=', 'running'), eb.and([eb('status', '=', 'pending'), eb.not(WAS_TRIED)])]))
    .executeTakeFirstOrThrow()
  return Number(count)
}

export function listReleased(db: Store): Promise<Pick<TaskRow, 'id' | 'turn'>[]> {
  return db
    .selectFrom('tasks')
    .select(['id', 'turn'])
    .where('status', '=', 'pending')
    .where('released_at', 'is not', null)
    .execute()
}

/** Tasks that wait because no runner is there, or none that is well. */
export function listWithoutRunner(db: Store): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().where('status', '=', 'pending').where('reason', 'in', NOBODY_TAKES).execute()
}

/** Ended tasks of whose end nobody was told yet. */
export function listUntold(db: Store): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().whereRef('told_turn', '<', 'turn').where('completed_at', 'is not', null).execute()
}

export function setTold(db: Store, taskId: string, turn: number): Promise<unknown> {
  return db.updateTable('tasks').set({ told_turn: turn }).where('id', '=', taskId).where('told_turn', '<', turn).execute()
}

/**
 * While nobody takes a task, that is why each waits, whatever the reason was before; else it is so no more.
 * @param nobody why not; null when a runner can
 * @returns those whose reason changed
 */
export function setWaitReason(db: Store, nobody: Reason | null): Promise<TaskRow[]> {
  const waiting = db.updateTable('tasks').where('status', '=', 'pending')
  const changed =
    nobody === null
      ? waiting
          .where((eb) => eb.or([eb('reason', 'in', ONLY_WAITING), eb.and([eb('reason', 'in', NOBODY_TAKES), eb.not(WAS_TRIED)])]))
          .set({ reason: sql`case when ${WAS_TRIED} then 'retrying' else 'queued' end` })
      : waiting.where('reason', 'is not', nobody).set({ reason: nobody })
  return changed.returningAll().execute()
}

/** Reasons to wait that no attempt ends with. */
const ONLY_WAITING: readonly Reason[] = ['no_runner', 'runner_unwell']

/** Gives a waiting task into the queue's hands. @returns false when it does not wait any more */
export function releaseTask(db: Store, taskId: string, userId: string, now: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const waiting = tx.updateTable('tasks').set({ released_at: now }).where('id', '=', taskId).where('status', '=', 'pending')
    const { numUpdatedRows } = await waiting.where('released_at', 'is', null).executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    // Always rising, so that two users who were served in the same millisecond still take turns.
    const latest = await tx
      .selectFrom('users')
      .select((eb) => eb.fn.max('last_released_at').as('at'))
      .executeTakeFirstOrThrow()
    await tx
      .updateTable('users')
      .set({ last_released_at: Math.max(now, latest.at + 1) })
      .where('id', '=', userId)
      .execute()
    return true
  })
}
