import type { Message } from '../../contract/api/api.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

export type InboxRow = Database['inbox']

export function messageOf(row: InboxRow): Message {
  return {
    id: row.id,
    taskId: row.task_id,
    clientId: row.client_id,
    text: row.text,
    // A message that starts a turn has no mode; report it as `queue`.
    mode: row.mode ?? 'queue',
    state: row.state,
    turn: row.turn,
    createdAt: new Date(row.created_at).toISOString(),
  }
}

export function insertMessage(db: Store, row: InboxRow): Promise<unknown> {
  return db.insertInto('inbox').values(row).execute()
}

export async function updateMessage(db: Store, row: InboxRow, change: Partial<InboxRow>): Promise<InboxRow> {
  await db.updateTable('inbox').set(change).where('id', '=', row.id).execute()
  return { ...row, ...change }
}

export function findMessage(db: Store, taskId: string, messageId: string): Promise<InboxRow | undefined> {
  return ofTask(db, taskId).where('id', '=', messageId).executeTakeFirst()
}

export function findMessageByClientId(db: Store, taskId: string, clientId: string): Promise<InboxRow | undefined> {
  return ofTask(db, taskId).where('client_id', '=', clientId).executeTakeFirst()
}

/** Every message of the task, in order. */
export function listMessages(db: Store, taskId: string): Promise<InboxRow[]> {
  return ofTask(db, taskId).orderBy('seq').execute()
}

/**
 * Messages that wait while the turn of another one goes on, the oldest first.
 * @param first the message that began that turn; it counts as waiting, too, until a runner has its lease
 */
export function listWaitingMessages(db: Store, taskId: string, first: string | null = null): Promise<InboxRow[]> {
  return ofTask(db, taskId)
    .where('state', '=', 'waiting')
    .where('mode', 'is not', null)
    .where('id', 'is not', first)
    .orderBy('seq')
    .execute()
}

/** Turns the steering messages that the ended turn did not take into messages that begin a turn. */
export function steersToQueue(db: Store, taskId: string): Promise<unknown> {
  return db
    .updateTable('inbox')
    .set({ mode: 'queue' })
    .where('task_id', '=', taskId)
    .where('state', '=', 'waiting')
    .where('mode', '=', 'steer')
    .execute()
}

function ofTask(db: Store, taskId: string) {
  return db.selectFrom('inbox').selectAll().where('task_id', '=', taskId)
}
