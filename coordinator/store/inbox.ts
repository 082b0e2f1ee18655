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
    // What began its turn had nothing to be put between.
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

/** Everything that was said to the task, in order. */
export function listMessages(db: Store, taskId: string): Promise<InboxRow[]> {
  return ofTask(db, taskId).orderBy('seq').execute()
}

/**
 * What waits while another message's turn is under way, the oldest first.
 * @param first began the turn under way; until its lease it too is noted as waiting
 */
export function listWaitingMessages(db: Store, taskId: string, first: string | null = null): Promise<InboxRow[]> {
  return ofTask(db, taskId)
    .where('state', '=', 'waiting')
    .where('mode', 'is not', null)
    .where('id', 'is not', first)
    .orderBy('seq')
    .execute()
}

/** What the turn that ended did not take is from now on to be a turn of its own. */
export function noLongerSteering(db: Store, taskId: string): Promise<unknown> {
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
