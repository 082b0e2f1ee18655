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

/** @returns the number of the first attempt at this turn, which must have one */
export async function firstAttemptOfTurn(db: Store, taskId: string, turn: number): Promise<number> {
  const rows = db.selectFrom('attempts').select('attempt').where('task_id', '=', taskId).where('turn', '=', turn)
  return (await rows.orderBy('attempt').limit(1).executeTakeFirstOrThrow()).attempt
}

/** @returns whether it is open and its lease ran out. A lease that lasts far too long was given before the clock was set back. */
export function isRunOut({ ended_at, lease_until }: AttemptRow, now: number): boolean {
  return ended_at === null && (lease_until < now || lease_until > now + 2 * LEASE_MS)
}

export async function listRunOut(db: Store, now: number): Promise<AttemptRow[]> {
  const open = await db.selectFrom('attempts').selectAll().where('ended_at', 'is', null).execute()
  return open.filter((row) => isRunOut(row, now))
}

/** How often this turn was interrupted so far, and by how many runners. A wait for the model is no interruption. */
export async function countInterruptions(db: Store, taskId: string, turn: number): Promise<Interruptions> {
  const { attempts, runners } = await db
    .selectFrom('attempts')
    .select((eb) => [eb.fn.countAll().as('attempts'), eb.fn.count('runner_id').distinct().as('runners')])
    .where('task_id', '=', taskId)
    .where('turn', '=', turn)
    .where('outcome', '=', 'interrupted')
    .where('reason', '!=', 'model_waiting')
    .executeTakeFirstOrThrow()
  return { interruptions: Number(runners), interruptedAttempts: Number(attempts) }
}

/**
 * How the model kept one turn waiting in the queue so far. `inRow`: attempts at the end, one after another, that ended like this and cost
 * nothing, so the model answered none of their calls; `count` and `ms`: all that ended like this, and their waits together.
 */
export type Parked = { inRow: number; count: number; ms: number }

export async function readParked(db: Store, taskId: string, turn: number): Promise<Parked> {
  const rows = await db
    .selectFrom('attempts')
    .select(['ended_at', 'waiting_until'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('events')
          .select('seq')
          .whereRef('events.task_id', '=', 'attempts.task_id')
          .whereRef('events.attempt', '=', 'attempts.attempt')
          .where('type', '=', 'usage.counted'),
      ).as('answered'),
    )
    .where('task_id', '=', taskId)
    .where('turn', '=', turn)
    .where('ended_at', 'is not', null)
    .orderBy('attempt', 'desc')
    .execute()
  const isParked = ({ waiting_until }: (typeof rows)[number]) => waiting_until !== null
  const broken = rows.findIndex((row) => !isParked(row) || Number(row.answered) === 1)
  // The newest that was answered waits for the first time again.
  const inRow = broken === -1 ? rows.length : broken + (rows[broken] && isParked(rows[broken]) ? 1 : 0)
  const parked = rows.filter(isParked)
  const ms = parked.reduce((sum, { ended_at, waiting_until }) => sum + Math.max(0, (waiting_until ?? 0) - (ended_at ?? 0)), 0)
  return { inRow, count: parked.length, ms }
}
