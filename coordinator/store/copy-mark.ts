import { sql } from 'kysely'
import type { Store } from './sqlite/database.ts'
import type { TaskRow } from './tasks.ts'

/** @returns of which time this copy is, milliseconds since 1970 (the first, if it is a copy of a copy); null for a database that is no copy, or was opened before */
export async function findCopyMark(db: Store): Promise<number | null> {
  const { rows } = await sql<{
    name: string
  }>`select name from sqlite_master where type = 'table' and name = 'copy_mark'`.execute(db)
  if (rows.length === 0) return null
  const { copied_at } = await db.selectFrom('copy_mark').select('copied_at').orderBy('copied_at').executeTakeFirstOrThrow()
  return Number(copied_at)
}

export function dropCopyMark(tx: Store): Promise<unknown> {
  return tx.schema.dropTable('copy_mark').execute()
}

/** @returns every task that waited or ran */
export function listUnderWay(db: Store): Promise<TaskRow[]> {
  return db.selectFrom('tasks').selectAll().where('status', 'in', ['pending', 'running']).orderBy('created_at').execute()
}

/** Leaves out so many attempt numbers of every task. */
export function skipAttempts(tx: Store, count: number): Promise<unknown> {
  return tx
    .updateTable('tasks')
    .set(({ eb }) => ({ attempt: eb('attempt', '+', count) }))
    .execute()
}

/** What was said once stays said: ends that users may have been told of, and links that may have been used. */
export async function settleOldNews(tx: Store): Promise<void> {
  await tx
    .updateTable('tasks')
    .set(({ ref }) => ({ told_turn: ref('turn') }))
    .where('completed_at', 'is not', null)
    .execute()
  await tx.deleteFrom('sign_in_links').execute()
}
