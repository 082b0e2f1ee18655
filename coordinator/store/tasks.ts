import { sql } from 'kysely'
import type { ListTasks } from '../../contract/api/api.ts'
import { NOBODY_TAKES, type Reason } from '../../contract/api/reason.ts'
import { isEnded, type Mover, mayMove, type TaskStatus } from '../../contract/api/status.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

export type TaskRow = Database['tasks']

export function insertTask(db: Store, row: TaskRow): Promise<unknown> {
  return db.insertInto('tasks').values(row).execute()
}

export function findTask(db: Store, taskId: string): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirst()
}

export function findTasks(db: Store, taskIds: readonly string[]): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().where('id', 'in', taskIds).execute()
}

export function findTaskOfUser(db: Store, userId: string, taskId: string): Promise<TaskRow | undefined> {
  const ofUser = db.selectFrom('tasks').selectAll().where('id', '=', taskId).where('user_id', '=', userId)
  return ofUser.where('deleted_at', 'is', null).executeTakeFirst()
}

export function findTaskByClientId(db: Store, userId: string, clientId: string): Promise<TaskRow | undefined> {
  return db.selectFrom('tasks').selectAll().where('user_id', '=', userId).where('client_id', '=', clientId).executeTakeFirst()
}

export type Change = Partial<Omit<TaskRow, 'id' | 'status' | 'last_seq'>>

/** Changes anything but the status. */
export async function updateTask(db: Store, row: TaskRow, change: Change): Promise<TaskRow> {
  await db.updateTable('tasks').set(change).where('id', '=', row.id).execute()
  return { ...row, ...change }
}

/**
 * The only way in which a status changes. Ending a task clears its cancel request, its queue release and its wait.
 * @throws Error when `by` may not make this move, which is a fault of ours
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
  const ending: Change = isEnded(to)
    ? { completed_at: now, released_at: null, cancel_requested_at: null, waiting_until: null }
    : {}
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
  let query = db.selectFrom('tasks').selectAll().where('user_id', '=', userId).where('deleted_at', 'is', null)
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
  const rows = db
    .selectFrom('tasks')
    .select(['status', (eb) => eb.fn.countAll().as('count')])
    .where('deleted_at', 'is', null)
  return (await rows.groupBy('status').execute()).map(({ status, count }) => ({ status, count: Number(count) }))
}

/** Ended tasks whose users have not been told of the end yet. */
export function listUntold(db: Store): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().whereRef('told_turn', '<', 'turn').where('completed_at', 'is not', null).execute()
}

export function setTold(db: Store, taskId: string, turn: number): Promise<unknown> {
  return db.updateTable('tasks').set({ told_turn: turn }).where('id', '=', taskId).where('told_turn', '<', turn).execute()
}

/**
 * Runners take tasks again: an interrupted turn that waited for them now waits for its next attempt, whatever interrupted it.
 * One that waits for the model still does.
 * @param nobodyAt when no runner took tasks; what was interrupted later keeps its reason
 */
export function setRetrying(db: Store, nobodyAt: number): Promise<unknown> {
  const waiting = db.updateTable('tasks').set({ reason: 'retrying' }).where('status', '=', 'pending')
  return waiting
    .where('reason', 'not in', ['queued', 'retrying', 'model_waiting'])
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('attempts')
          .select('attempt')
          .whereRef('task_id', '=', 'tasks.id')
          .whereRef('attempts.attempt', '=', 'tasks.attempt')
          .where('ended_at', '<=', nobodyAt),
      ),
    )
    .execute()
}

/** Waiting tasks that need a person: no runner takes any, or an attempt ended for a reason that keeps a runner from taking any. */
export function listStuck(db: Store, nobody: Reason | null): Promise<TaskRow[]> {
  const waiting = db.selectFrom('tasks').selectAll().where('status', '=', 'pending')
  return (nobody === null ? waiting.where('reason', 'in', NOBODY_TAKES) : waiting).execute()
}
