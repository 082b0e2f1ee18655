import { sql } from 'kysely'
import type { NewEvent, TaskEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'
import type { TaskRow } from './tasks.ts'

/** An event without a `seq` yet. `attempt` 0: outside of any; `n`: the number its runner gave it, null for one of the coordinator. */
export type Addition = { event: NewEvent; attempt: number; n: number | null; at: number }

/** SQLite takes 32,766 values in one statement, and a row has seven. */
const ROWS_PER_STATEMENT = 1_000

/**
 * Gives each event its `seq`, in order and without a gap, and stores it. To be called within the transaction that makes the change.
 * @returns the events as clients get them, and the task with its new `last_seq`
 */
export async function appendEvents(db: Store, task: TaskRow, additions: readonly Addition[]): Promise<[TaskEvent[], TaskRow]> {
  if (additions.length === 0) return [[], task]
  const rows = additions.map(({ event, attempt, n, at }, index) => ({
    task_id: task.id,
    seq: task.last_seq + 1 + index,
    attempt,
    n,
    type: event.type,
    at,
    data: JSON.stringify(event.data),
  }))
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT)
    await db
      .insertInto('events')
      .values(rows.slice(from, from + ROWS_PER_STATEMENT))
      .execute()
  const last_seq = task.last_seq + rows.length
  const bytes = rows.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0)
  const longer = { last_seq, event_bytes: sql<number>`event_bytes + ${bytes}` }
  await db.updateTable('tasks').set(longer).where('id', '=', task.id).execute()
  const events = additions.map(({ event, attempt, at }, index) => placed(task.id, task.last_seq + 1 + index, attempt, at, event))
  return [events, { ...task, last_seq }]
}

/**
 * The events after `after`, in order: fewer than `limit` if they are large, but at least one if there is any.
 * @param pageBytes bytes of data after which the page ends
 */
export async function listEvents(
  db: Store,
  taskId: string,
  after: number,
  limit: number,
  pageBytes: number = LIMITS.pageBytes,
): Promise<TaskEvent[]> {
  const ofTask = db.selectFrom('events').where('task_id', '=', taskId).where('seq', '>', after).orderBy('seq')
  // SQLite knows the length of a value without reading the value.
  const sizes = await ofTask
    .select(['seq', sql<number>`octet_length(data)`.as('bytes')])
    .limit(limit)
    .execute()
  let last = after
  let bytes = 0
  for (const size of sizes) {
    if (bytes >= pageBytes) break
    last = size.seq
    bytes += size.bytes
  }
  return (await ofTask.selectAll().where('seq', '<=', last).execute()).map(eventOf)
}

/** The start or end of a turn, a wait for the model or a tool call, without its data: the outputs of one attempt may be hundreds of megabytes. */
export type PairRow =
  | { type: 'turn.started' | 'turn.ended'; at: number; turn: number }
  | { type: 'model.waiting' | 'model.resumed'; at: number }
  | { type: 'tool.started' | 'tool.ended'; at: number; callId: string; name: string }

/** The starts and ends within one attempt, in order. */
export function listPairs(db: Store, taskId: string, attempt: number): Promise<PairRow[]> {
  return db
    .selectFrom('events')
    .select(['type', 'at'])
    .select(sql`json_extract(data, '$.turn')`.as('turn'))
    .select(sql`json_extract(data, '$.callId')`.as('callId'))
    .select(sql`json_extract(data, '$.name')`.as('name'))
    .where('task_id', '=', taskId)
    .where('attempt', '=', attempt)
    .where('type', 'in', ['turn.started', 'turn.ended', 'model.waiting', 'model.resumed', 'tool.started', 'tool.ended'])
    .orderBy('seq')
    .$castTo<PairRow>()
    .execute()
}

/** @returns what the calls of one attempt cost, as far as its events are stored, US dollars */
export async function costOfAttempt(db: Store, taskId: string, attempt: number): Promise<number> {
  const { usd } = await db
    .selectFrom('events')
    .select(sql<number | null>`sum(json_extract(data, '$.costUsd'))`.as('usd'))
    .where('task_id', '=', taskId)
    .where('attempt', '=', attempt)
    .where('type', '=', 'usage.counted')
    .executeTakeFirstOrThrow()
  return usd ?? 0
}

/** @returns whether any attempt of the task pushed to its branch */
export async function wasPushed(db: Store, taskId: string): Promise<boolean> {
  const pushed = db.selectFrom('events').select('seq').where('task_id', '=', taskId).where('type', '=', 'branch.pushed')
  return (await pushed.limit(1).executeTakeFirst()) !== undefined
}

/** A push to one branch of a task, oldest first. `before`: undefined in events of earlier versions. */
export type PushRow = { attempt: number; commit: string; before: string | null | undefined }

/** @returns every push to this branch, oldest first */
export async function listPushes(db: Store, taskId: string, branch: string): Promise<PushRow[]> {
  const rows = db
    .selectFrom('events')
    .selectAll()
    .where('task_id', '=', taskId)
    .where('type', '=', 'branch.pushed')
    .orderBy('seq')
  return (await rows.execute()).map(eventOf).flatMap((event) => {
    if (event.type !== 'branch.pushed' || event.data.branch !== branch) return []
    return [{ attempt: event.attempt, commit: event.data.commit, before: event.data.before }]
  })
}

function eventOf(row: Pick<Database['events'], 'task_id' | 'seq' | 'attempt' | 'at' | 'type' | 'data'>): TaskEvent {
  // The store holds only what was parsed before.
  return placed(row.task_id, row.seq, row.attempt, row.at, { type: row.type, data: JSON.parse(row.data) } as NewEvent)
}

function placed(taskId: string, seq: number, attempt: number, at: number, event: NewEvent): TaskEvent {
  return {
    taskId,
    seq,
    attempt,
    type: event.type,
    at: new Date(at).toISOString(),
    data: event.data,
  } as TaskEvent
}
