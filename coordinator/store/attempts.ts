import { LEASE_MS } from '../../contract/wire/deadlines.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

export type AttemptRow = Database['attempts']

/** `interruptions`: how many runners interrupted it; `interruptedAttempts`: how often that happened. */
export type Interruptions = { interruptions: number; interruptedAttempts: number }

export function insertAttempt(db: Store, row: AttemptRow): Promise<unknown> {
  return db.insertInto('attempts').values(row).execute()
}

export function findAttempt(db: Store, taskId: string, attempt: number): Promise<AttemptRow | undefined> {
  return db.selectFrom('attempts').selectAll().where('task_id', '=', taskId).where('attempt', '=', attempt).executeTakeFirst()
}

export async function updateAttempt(db: Store, row: AttemptRow, change: Partial<AttemptRow>): Promise<AttemptRow> {
  await db.updateTable('attempts').set(change).where('task_id', '=', row.task_id).where('attempt', '=', row.attempt).execute()
  return { ...row, ...change }
}

/** @returns whether it is open and its lease ran out. A lease that lasts far too long was given before the clock was set back. */
export function isRunOut({ ended_at, lease_until }: AttemptRow, now: number): boolean {
  return ended_at === null && (lease_until < now || lease_until > now + 2 * LEASE_MS)
}

export async function listRunOut(db: Store, now: number): Promise<AttemptRow[]> {
  const open = await db.selectFrom('attempts').selectAll().where('ended_at', 'is', null).execute()
  return open.filter((row) => isRunOut(row, now))
}

/** How often this turn was interrupted so far, and by how many runners. */
export async function countInterruptions(db: Store, taskId: string, turn: number): Promise<Interruptions> {
  const { attempts, runners } = await db
    .selectFrom('attempts')
    .select((eb) => [eb.fn.countAll().as('attempts'), eb.fn.count('runner_id').distinct().as('runners')])
    .where('task_id', '=', taskId)
    .where('turn', '=', turn)
    .where('outcome', '=', 'interrupted')
    .executeTakeFirstOrThrow()
  return { interruptions: Number(runners), interruptedAttempts: Number(attempts) }
}
