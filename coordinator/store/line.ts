import { sql } from 'kysely'
import type { Reason } from '../../contract/api/reason.ts'
import { whyNobodyTakes } from './runners.ts'
import type { Store } from './sqlite/database.ts'

export type InLine = { taskId: string; turn: number; userId: string }

/**
 * The fair order, and the only place that knows it: the tasks that the queue does not have yet, the next one first. Users take turns,
 * beginning with the user who has waited longest since their last release; each user's oldest task goes first. So nobody waits behind
 * another user's thousand tasks.
 *
 * The recursion is a queue: it takes out the next task and puts in the same user's next one. Its cost is one look for each user and for
 * each listed task, however many tasks wait behind them.
 */
export async function listInLine(db: Store, limit: number): Promise<InLine[]> {
  const { rows } = await sql<InLine>`
    with recursive line (id, turn, user_id, created_at, round, last_released_at, oldest_at, oldest_id) as (
      select tasks.id, turn, user_id, tasks.created_at, 1, last_released_at, tasks.created_at, tasks.id
      from users join tasks on tasks.id = (
        select id from tasks as oldest
        where user_id = users.id and status = 'pending' and released_at is null
        order by created_at, id limit 1)
      union all
      select tasks.id, tasks.turn, tasks.user_id, tasks.created_at, round + 1, last_released_at, oldest_at, oldest_id
      from line join tasks on tasks.id = (
        select id from tasks as next
        where user_id = line.user_id and status = 'pending' and released_at is null
          and (created_at, id) > (line.created_at, line.id)
        order by created_at, id limit 1)
      order by 5, 6, 7, 8
      limit ${limit}
    )
    select id as "taskId", turn, user_id as "userId" from line
    order by round, last_released_at, oldest_at, oldest_id`.execute(db)
  return rows
}

/** What the summary of a waiting task tells besides its own row. */
export type Line = {
  /** Why no runner takes tasks; null when one does. */
  nobody: Reason | null
  /** How many tasks a runner gets before this one; null for a task that is too far back to be counted. */
  placeOf: (taskId: string) => number | null
  /** Those that have a place, in order. */
  taskIds: readonly string[]
}

/** Places further back are not told: nobody needs the difference, and every change of a waiting task would cost more. */
const PLACES_TOLD = 500

/** Reads what is in front: the released tasks, then the head of the line. */
export async function readLine(db: Store, now: number): Promise<Line> {
  const nobody = await whyNobodyTakes(db, now)
  // In this order: a task that is released meanwhile is found twice, and not missed.
  const waiting = (await listInLine(db, PLACES_TOLD)).map(({ taskId }) => taskId)
  const released = await listReleased(db)
  const isParked = ({ waitingUntil }: Released) => waitingUntil !== null && waitingUntil > now
  const idsOf = (turns: readonly Released[]) => turns.map(({ taskId }) => taskId)
  const inLine = [...new Set([...idsOf(released.filter((turn) => !isParked(turn))), ...waiting])]
  const places = new Map(inLine.slice(0, PLACES_TOLD).map((taskId, place) => [taskId, place]))
  // A turn that waits for the model is in nobody's way and has no place, but is told all the same.
  const taskIds = [...new Set([...inLine, ...idsOf(released.filter(isParked))])].slice(0, PLACES_TOLD)
  return { nobody, taskIds, placeOf: (taskId) => places.get(taskId) ?? null }
}

/** A waiting turn that the queue has; `waitingUntil`: when it comes back, if it waits for the model. */
export type Released = { taskId: string; turn: number; waitingUntil: number | null }

/** In the order of their release. */
export function listReleased(db: Store): Promise<Released[]> {
  return db
    .selectFrom('tasks')
    .select(['id as taskId', 'turn', 'waiting_until as waitingUntil'])
    .where('released_at', 'is not', null)
    .where('status', '=', 'pending')
    .orderBy('released_at')
    .orderBy('created_at')
    .execute()
}

/** Whether a turn waits in the queue for this model to answer again. */
export async function isModelAway(db: Store, model: string, now: number): Promise<boolean> {
  const parked = db.selectFrom('tasks').select('id').where('status', '=', 'pending').where('waiting_until', '>', now)
  return (await parked.where('model', '=', model).limit(1).executeTakeFirst()) !== undefined
}

/** Turns that the queue has and that use or await a slot; a turn in a pause between two attempts does neither. */
export async function countReleased(db: Store): Promise<number> {
  const wasTried = sql<boolean>`exists (
    select 1 from attempts where task_id = tasks.id and attempts.attempt = tasks.attempt and attempts.turn = tasks.turn)`
  const { count } = await db
    .selectFrom('tasks')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('released_at', 'is not', null)
    .where((eb) => eb.or([eb('status', '=', 'running'), eb.and([eb('status', '=', 'pending'), eb.not(wasTried)])]))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Gives a waiting task to the queue. @returns false when it no longer waits */
export function releaseTask(db: Store, { taskId, userId }: Pick<InLine, 'taskId' | 'userId'>, now: number): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const latest = await tx
      .selectFrom('users')
      .select((eb) => eb.fn.max('last_released_at').as('at'))
      .executeTakeFirstOrThrow()
    // Always rising, so that users who are served in the same millisecond still take turns.
    const at = Math.max(now, (latest.at ?? 0) + 1)
    const waiting = tx.updateTable('tasks').set({ released_at: at }).where('id', '=', taskId).where('status', '=', 'pending')
    const { numUpdatedRows } = await waiting.where('released_at', 'is', null).executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    await tx.updateTable('users').set({ last_released_at: at }).where('id', '=', userId).execute()
    return true
  })
}
