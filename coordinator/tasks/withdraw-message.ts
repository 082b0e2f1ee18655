import type { Message } from '../../contract/api/api.ts'
import { Refusal } from '../process/errors.ts'
import { type Addition, appendEvents } from '../store/events.ts'
import { findMessage, type InboxRow, messageOf, updateMessage } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { TaskRow } from '../store/tasks.ts'
import { sendToAttempt } from '../wire/send-to-runner.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

/** Withdraws a message that waits. If an agent takes it in the same moment, `message.delivered` comes after this and counts. */
export async function withdrawMessage(parts: TaskParts, userId: string, taskId: string, messageId: string): Promise<Message> {
  const { task, message } = await parts.ledger.write(async (tx, record) => {
    const task = await findOwnTask(tx, userId, taskId)
    const found = await findMessage(tx, taskId, messageId)
    if (!found) throw new Refusal('not_found', 'This task has no such message.')
    if (found.state === 'withdrawn') return { task, message: found }
    if (found.state === 'delivered') throw new Refusal('conflict', 'The agent already has this message.')
    if (found.id === task.message_id)
      throw new Refusal('conflict', 'This message starts the waiting turn. To withdraw it, cancel the task.')
    const { task: told, messages } = await withdrawMessages(tx, record, task, [found])
    return { task: told, message: messages[0] ?? found }
  })
  await sendToAttempt(parts, taskId, task.attempt, { type: 'withdraw', messageId })
  return messageOf(message)
}

/** Only within the caller's transaction. */
export async function withdrawMessages(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  rows: readonly InboxRow[],
): Promise<{ task: TaskRow; messages: InboxRow[] }> {
  const at = Date.now()
  const messages: InboxRow[] = []
  for (const row of rows) messages.push(await updateMessage(tx, row, { state: 'withdrawn' }))
  // A message without a mode began its turn at once and never waited: the end of the turn tells of it.
  const additions = rows
    .filter(({ mode }) => mode !== null)
    .map((row): Addition => ({ event: { type: 'message.withdrawn', data: { messageId: row.id } }, attempt: 0, n: null, at }))
  const [events, told] = await appendEvents(tx, task, additions)
  record(told, events, 'same')
  return { task: told, messages }
}
