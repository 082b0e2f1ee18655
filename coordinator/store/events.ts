import { sql } from 'kysely'
import type { NewEvent, TaskEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'
import type { TaskRow } from './tasks.ts'

/** An event that has no place yet. `attempt` 0: outside any; `n`: the runner's number, null for what the coordinator says. */
export type Addition = { event: NewEvent; attempt: number; n: number | null; at: number }

/** SQLite takes 32,766 values in a statement, and a row has seven. */
const ROWS_PER_STATEMENT = 1_000

/**
 * Gives each its `seq`, in order and without a hole, and stores it. Only within the transaction that made the change they tell of.
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
  await db.updateTable('tasks').set({ last_seq }).where('id', '=', task.id).execute()
  const events = additions.map(({ event, attempt, at }, index) => placed(task.id, task.last_seq + 1 + index, attempt, at, event))
  return [events, { ...task, last_seq }]
}

/**
 * The history after `after`, in order; fewer than `limit` when they are large, and at least one if there is one.
 * @param pageBytes of data, after which there are no more
 */
export async function listEvents(
  db: Store,
  taskId: string,
  after: number,
  limit: number,
  pageBytes: number = LIMITS.pageBytes,
): Promise<TaskEvent[]> {
  const ofTask = db.selectFrom('events').where('task_id', '=', taskId).where('seq', '>', after).orderBy('seq')
  // SQLite knows the length of a value without reading it.
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

/** Where a turn or a tool began or ended, without what it carried: the outputs of one attempt may be hundreds of megabytes. */
export type PairRow =
  | { type: 'turn.started' | 'turn.ended'; at: number; turn: number }
  | { type: 'tool.started' | 'tool.ended'; at: number; callId: string; name: string }

/** What began and ended in one attempt, in order. */
export function listPairs(db: Store, taskId: string, attempt: number): Promise<PairRow[]> {
  return db
    .selectFrom('events')
    .select(['type', 'at'])
    .select(sql`json_extract(data, '$.turn')`.as('turn'))
    .select(sql`json_extract(data, '$.callId')`.as('callId'))
    .select(sql`json_extract(data, '$.name')`.as('name'))
    .where('task_id', '=', taskId)
    .where('attempt', '=', attempt)
    .where('type', 'in', ['turn.started', 'turn.ended', 'tool.started', 'tool.ended'])
    .orderBy('seq')
    .$castTo<PairRow>()
    .execute()
}

/** @returns whether any attempt of the task got something onto its branch */
export async function wasPushed(db: Store, taskId: string): Promise<boolean> {
  const pushed = db.selectFrom('events').select('seq').where('task_id', '=', taskId).where('type', '=', 'branch.pushed')
  return (await pushed.limit(1).executeTakeFirst()) !== undefined
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
