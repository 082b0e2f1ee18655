import { sql } from 'kysely'
import type { ArtifactKind } from '../../contract/wire/sandbox.ts'
import type { ArtifactId } from './artifacts.ts'
import type { Store } from './sqlite/database.ts'
import type { TaskRow } from './tasks.ts'

/**
 * Hides a task from people for good; its history may be long, and is removed later, piece by piece. Its `client_id` becomes free. What it
 * cost stays in the total of its user.
 * @returns its files, whose rows are gone
 */
export async function markDeleted(db: Store, task: TaskRow, now: number): Promise<ArtifactId[]> {
  const marked = { deleted_at: now, client_id: null, told_turn: task.turn }
  await db.updateTable('tasks').set(marked).where('id', '=', task.id).execute()
  if (task.demo === 0)
    await db
      .updateTable('users')
      .set({ deleted_cost_usd: sql<number>`deleted_cost_usd + ${task.cost_usd}` })
      .where('id', '=', task.user_id)
      .execute()
  return deleteFilesOf(db, task.id)
}

/** @returns tasks that are marked and not removed yet, the oldest first */
export async function listDeleted(db: Store): Promise<string[]> {
  const rows = db.selectFrom('tasks').select('id').where('deleted_at', 'is not', null).orderBy('deleted_at')
  return (await rows.limit(100).execute()).map(({ id }) => id)
}

/** How many events one step removes: the whole store waits for it. */
const EVENTS_PER_STEP = 500

/**
 * One step of the removal of a marked task: some of its events, or what is left once there are none.
 * @returns null if another step is needed; else the files that came late
 */
export function removeSome(db: Store, taskId: string): Promise<ArtifactId[] | null> {
  return db.transaction().execute(async (tx) => {
    const some = tx.selectFrom('events').select('id').where('task_id', '=', taskId).limit(EVENTS_PER_STEP)
    const { numDeletedRows } = await tx.deleteFrom('events').where('id', 'in', some).executeTakeFirst()
    if (numDeletedRows > 0n) return null
    const files = await deleteFilesOf(tx, taskId)
    // Messages and attempts go with it.
    await tx.deleteFrom('tasks').where('id', '=', taskId).where('deleted_at', 'is not', null).execute()
    return files
  })
}

/** Tasks that ended before this time. */
export function listEndedBefore(db: Store, time: number): Promise<TaskRow[]> {
  const ended = db.selectFrom('tasks').selectAll().where('completed_at', '<', time).where('deleted_at', 'is', null)
  return ended.orderBy('completed_at').limit(100).execute()
}

/**
 * Deletes the rows of artifacts that were stored before this time, of tasks that have ended; some at a time.
 * @param kinds the beginning of their kind
 * @returns their files; none: there are no more
 */
export function expireArtifacts(db: Store, kinds: 'output.' | 'bundle', before: number): Promise<ArtifactId[]> {
  return db.transaction().execute(async (tx) => {
    const rows = await tx
      .selectFrom('artifacts')
      .innerJoin('tasks', 'tasks.id', 'artifacts.task_id')
      .select(['task_id', 'artifacts.attempt', 'kind'])
      .where('kind', 'like', `${kinds}%`)
      .where('artifacts.created_at', '<', before)
      .where('completed_at', 'is not', null)
      .limit(EVENTS_PER_STEP)
      .execute()
    return deleteRows(tx, rows)
  })
}

async function deleteFilesOf(db: Store, taskId: string): Promise<ArtifactId[]> {
  const rows = await db.selectFrom('artifacts').select(['task_id', 'attempt', 'kind']).where('task_id', '=', taskId).execute()
  return deleteRows(db, rows)
}

async function deleteRows(db: Store, rows: readonly { task_id: string; attempt: number; kind: string }[]): Promise<ArtifactId[]> {
  for (const row of rows)
    await db
      .deleteFrom('artifacts')
      .where((eb) => eb.and(row))
      .execute()
  return rows.map(({ task_id, attempt, kind }) => ({ taskId: task_id, attempt, kind: kind as ArtifactKind }))
}
