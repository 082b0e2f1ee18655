import type { Store } from './database.ts'
import type { Database } from './schema.ts'

export type AttemptRow = Database['attempts']

export const insertAttempt = (db: Store, row: AttemptRow): Promise<unknown> => db.insertInto('attempts').values(row).execute()

export const findAttempt = (db: Store, taskId: string, attempt: number): Promise<AttemptRow | undefined> =>
  db.selectFrom('attempts').selectAll().where('task_id', '=', taskId).where('attempt', '=', attempt).executeTakeFirst()

export const updateAttempt = async (db: Store, row: AttemptRow, change: Partial<AttemptRow>): Promise<AttemptRow> => {
  await db.updateTable('attempts').set(change).where('task_id', '=', row.task_id).where('attempt', '=', row.attempt).execute()
  return { ...row, ...change }
}

/** Attempts that did not end, whose lease ran out before `now`. */
export const listRunOut = (db: Store, now: number): Promise<Pick<AttemptRow, 'task_id' | 'attempt'>[]> =>
  db.selectFrom('attempts').select(['task_id', 'attempt']).where('ended_at', 'is', null).where('lease_until', '<', now).execute()

/** How often this turn was interrupted up to now. */
export const countInterruptions = async (db: Store, taskId: string, turn: number): Promise<number> => {
  const { count } = await db
    .selectFrom('attempts')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('task_id', '=', taskId)
    .where('turn', '=', turn)
    .where('outcome', '=', 'interrupted')
    .executeTakeFirstOrThrow()
  return Number(count)
}
