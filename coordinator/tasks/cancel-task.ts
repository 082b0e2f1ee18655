import type { Task } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { Refusal } from '../process/errors.ts'
import { wasPushed } from '../store/events.ts'
import { findMessage, listWaitingMessages } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { summaryOf } from '../store/summary.ts'
import { type TaskRow, updateTask } from '../store/tasks.ts'
import { sendToAttempt } from '../wire/send-to-runner.ts'
import { describeTurnEnd, endTurn } from './end-turn.ts'
import { findOwnTask, type TaskParts } from './parts.ts'
import { withdrawMessages } from './withdraw-message.ts'

/** Cancels the turn that waits or runs, and withdraws the messages that wait. A message that comes after this begins the next turn. */
export async function cancelTask(parts: TaskParts, userId: string, taskId: string): Promise<Task> {
  const row = await parts.ledger.write(async (tx, record) => {
    const task = await findOwnTask(tx, userId, taskId)
    if (isEnded(task.status)) throw new Refusal('conflict', 'This task has already ended.')
    return cancelTurn(tx, record, task)
  })
  await propagateCancel(parts, row)
  return summaryOf(parts.db, row)
}

/**
 * Ends a waiting turn. A running one is only marked: it ends when its runner reports the end or is lost. After the commit the caller must
 * call {@link propagateCancel}.
 * @param task that has not ended
 */
export async function cancelTurn(tx: Store, record: RecordChange, task: TaskRow): Promise<TaskRow> {
  const at = Date.now()
  if (task.status === 'pending') return cancelWaitingTurn(tx, record, task, at)
  const { task: told } = await withdrawMessages(tx, record, task, await listWaitingMessages(tx, task.id))
  return updateTask(tx, told, { cancel_requested_at: task.cancel_requested_at ?? at })
}

async function cancelWaitingTurn(tx: Store, record: RecordChange, task: TaskRow, at: number): Promise<TaskRow> {
  const first = task.message_id === null ? undefined : await findMessage(tx, task.id, task.message_id)
  const waiting = [...(first?.state === 'waiting' ? [first] : []), ...(await listWaitingMessages(tx, task.id, task.message_id))]
  const { task: told } = await withdrawMessages(tx, record, task, waiting)
  const end = describeTurnEnd(task, 'cancelled', 'cancelled_by_user', null, await wasPushed(tx, task.id))
  return endTurn(tx, record, told, { ...end, by: 'user', at })
}

/** Tells the queue or the runner. @param cancelled the task as {@link cancelTurn} returned it: it may have changed since */
export async function propagateCancel(parts: TaskParts, cancelled: TaskRow): Promise<void> {
  const { dispatch, log } = parts
  const { id, user_id, status, turn, attempt } = cancelled
  log.info({ event: 'task.cancel_requested', taskId: id, userId: user_id, status })
  if (!isEnded(status)) return sendToAttempt(parts, id, attempt, { type: 'cancel' })
  try {
    await dispatch.withdraw(id, turn)
  } catch (error) {
    // The reconciler takes the job out of the queue.
    log.warn({ event: 'task.cancel_delayed', taskId: id, err: error })
  }
  dispatch.nudge()
}
