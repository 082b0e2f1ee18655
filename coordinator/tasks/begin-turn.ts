import { randomUUID } from 'node:crypto'
import { appendEvents } from '../store/events.ts'
import { type InboxRow, insertMessage, listWaitingMessages, noLongerSteering } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, moveTask, type TaskRow } from '../store/tasks.ts'

/** What a person said: `mode` null begins `turn`, any other waits, and is meant for `turn`. */
export type Said = { text: string; clientId: string | null; mode: InboxRow['mode']; turn: number }

/** Takes an ended task back to the queue with a turn that answers these words. @param change of the task beside it */
export async function beginTurn(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  said: Pick<Said, 'text' | 'clientId'>,
  change: Change = {},
): Promise<{ task: TaskRow; message: InboxRow }> {
  const turn = task.turn + 1
  const message = draft(task, { ...said, mode: null, turn })
  return receive(tx, record, await toQueue(tx, task, message, change), message, turn)
}

/** The oldest message that waits begins the next turn. @returns the task as it was when none waits */
export async function beginWaitingTurn(tx: Store, record: RecordChange, task: TaskRow): Promise<TaskRow> {
  await noLongerSteering(tx, task.id)
  const [oldest] = await listWaitingMessages(tx, task.id)
  if (!oldest) return task
  const pending = await toQueue(tx, task, oldest, {})
  record(pending, [])
  return pending
}

/** Keeps a message that waits, for the turn under way or for one after it. */
export function keepWaiting(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  said: Said,
): Promise<{ task: TaskRow; message: InboxRow }> {
  return receive(tx, record, task, draft(task, said), said.turn)
}

/** Message and event in one transaction. The event takes the next place in the task's list, which is the message's place too. */
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

function draft(task: TaskRow, { text, clientId, mode }: Said): InboxRow {
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
