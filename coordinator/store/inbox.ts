import type { Message } from '../../contract/api.ts'
import type { Store } from './database.ts'
import type { Database } from './schema.ts'

export type InboxRow = Database['inbox']

export const messageOf = (row: InboxRow): Message => ({
  id: row.id,
  taskId: row.task_id,
  clientId: row.client_id,
  text: row.text,
  // What began its turn had nothing to be put between.
  mode: row.mode ?? 'queue',
  state: row.state,
  turn: row.turn,
  createdAt: new Date(row.created_at).toISOString(),
})

export const insertMessage = (db: Store, row: InboxRow): Promise<unknown> => db.insertInto('inbox').values(row).execute()

export const updateMessage = async (db: Store, row: InboxRow, change: Partial<InboxRow>): Promise<InboxRow> => {
  await db.updateTable('inbox').set(change).where('id', '=', row.id).execute()
  return { ...row, ...change }
}

export const findMessage = (db: Store, taskId: string, messageId: string): Promise<InboxRow | undefined> =>
  ofTask(db, taskId).where('id', '=', messageId).executeTakeFirst()

export const findMessageByClientId = (db: Store, taskId: string, clientId: string): Promise<InboxRow | undefined> =>
  ofTask(db, taskId).where('client_id', '=', clientId).executeTakeFirst()

/** Everything that was said to the task, in order. */
export const listMessages = (db: Store, taskId: string): Promise<InboxRow[]> => ofTask(db, taskId).orderBy('seq').execute()

/**
 * What waits while another message's turn is under way, the oldest first.
 * @param first began the turn under way; until its lease it too is noted as waiting
 */
export const listWaitingMessages = (db: Store, taskId: string, first: string | null = null): Promise<InboxRow[]> =>
  ofTask(db, taskId)
    .where('state', '=', 'waiting')
    .where('mode', 'is not', null)
    .where('id', 'is not', first)
    .orderBy('seq')
    .execute()

/** What the turn that ended did not take is from now on to be a turn of its own. */
export const noLongerSteering = (db: Store, taskId: string): Promise<unknown> =>
  db
    .updateTable('inbox')
    .set({ mode: 'queue' })
    .where('task_id', '=', taskId)
    .where('state', '=', 'waiting')
    .where('mode', '=', 'steer')
    .execute()

const ofTask = (db: Store, taskId: string) => db.selectFrom('inbox').selectAll().where('task_id', '=', taskId)
