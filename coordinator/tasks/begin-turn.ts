import { randomUUID } from 'node:crypto'
import { appendEvents } from '../store/events.ts'
import { type InboxRow, insertMessage, listWaitingMessages, steersToQueue } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, moveTask, type TaskRow } from '../store/tasks.ts'

/** `mode` null: the message begins `turn`. Any other mode: the message waits for `turn`. */
export type NewMessage = { text: string; clientId: string | null; mode: InboxRow['mode']; turn: number }

/** Moves an ended task back to the queue, with a turn that answers this message. @param change to the task at the same time */
export async function beginTurn(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  words: Pick<NewMessage, 'text' | 'clientId'>,
  change: Change = {},
): Promise<{ task: TaskRow; message: InboxRow }> {
  const turn = task.turn + 1
  const message = draft(task, { ...words, mode: null, turn })
  return receive(tx, record, await toQueue(tx, task, message, change), message, turn)
}

/** The oldest message that waits begins the next turn. @returns the task as it was when none waits */
export async function beginWaitingTurn(tx: Store, record: RecordChange, task: TaskRow): Promise<TaskRow> {
  await steersToQueue(tx, task.id)
  const [oldest] = await listWaitingMessages(tx, task.id)
  if (!oldest) return task
  const pending = await toQueue(tx, task, oldest, {})
  record(pending, [])
  return pending
}

/** Stores a message that waits for the current turn or for a later one. */
export function addWaitingMessage(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  waiting: NewMessage,
): Promise<{ task: TaskRow; message: InboxRow }> {
  return receive(tx, record, task, draft(task, waiting), waiting.turn)
}

/** Stores message and event together. The event's `seq` is the message's `seq` too. */
async function receive(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  message: InboxRow,
  turn: number,
): Promise<{ task: TaskRow; message: InboxRow }> {
  const { id: messageId, text, mode, client_id: clientId } = message
  const event = { type: 'message.received', data: { messageId, turn, text, mode, clientId } } as const
  await insertMessage(tx, message)
  const [events, told] = await appendEvents(tx, task, [{ event, attempt: 0, n: null, at: message.created_at }])
  record(told, events, mode === null ? undefined : 'same')
  return { task: told, message }
}

async function toQueue(tx: Store, task: TaskRow, message: InboxRow, change: Change): Promise<TaskRow> {
  const place = { turn: task.turn + 1, message_id: message.id, reason: 'queued', error: null, completed_at: null } as const
  return moveTask(tx, task, 'pending', 'user', { ...change, ...place }, Date.now())
}

function draft(task: TaskRow, { text, clientId, mode }: NewMessage): InboxRow {
  return {
    id: randomUUID(),
    task_id: task.id,
    client_id: clientId,
    seq: task.last_seq + 1,
    text,
    mode,
    state: 'waiting',
    turn: null,
    created_at: Date.now(),
    delivered_at: null,
  }
}
