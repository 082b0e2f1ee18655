import { isEnded } from '../../contract/api/status.ts'
import { appendEvents, wasPushed } from '../store/events.ts'
import { findMessage, listWaitingMessages } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { moveTask, type TaskRow, updateTask } from '../store/tasks.ts'
import { tellAgent } from '../wire/tell-agent.ts'
import type { TaskParts } from './tasks.ts'
import { withdraw } from './withdraw-message.ts'

/**
 * A waiting turn ends here; a running one is noted as to be stopped, and ends when its runner says so or is lost. What waits to be said
 * to the task is taken back. After the commit comes {@link spreadStop}.
 * @param task that has not ended
 */
export async function stopTurn(tx: Store, record: RecordChange, task: TaskRow): Promise<TaskRow> {
  const now = Date.now()
  if (task.status === 'pending') return endWaiting(tx, record, task, now)
  const { task: told } = await withdraw(tx, record, task, await listWaitingMessages(tx, task.id))
  return updateTask(tx, told, { cancel_requested_at: task.cancel_requested_at ?? now })
}

/** Tells the queue or the runner. @param stopped the task as {@link stopTurn} gave it: it may have gone on since */
export async function spreadStop(parts: TaskParts, { id, user_id, status, turn, attempt }: TaskRow): Promise<void> {
  const { dispatch, log } = parts
  log.info({ event: 'task.cancel_requested', taskId: id, userId: user_id, status })
  if (!isEnded(status)) return tellAgent(parts, id, attempt, { say: 'cancel' })
  try {
    await dispatch.withdraw(id, turn)
  } catch (error) {
    // The reconciler takes the job out of the queue.
    log.warn({ event: 'task.cancel_delayed', taskId: id, err: error })
  }
  dispatch.nudge()
}

async function endWaiting(tx: Store, record: RecordChange, task: TaskRow, now: number): Promise<TaskRow> {
  const reason = 'cancelled_by_user'
  const first = task.message_id === null ? undefined : await findMessage(tx, task.id, task.message_id)
  const waiting = [...(first?.state === 'waiting' ? [first] : []), ...(await listWaitingMessages(tx, task.id, task.message_id))]
  const { task: told } = await withdraw(tx, record, task, waiting)
  const moved = await moveTask(tx, told, 'cancelled', 'user', { reason, error: null }, now)
  const branch = (await wasPushed(tx, task.id)) ? task.branch : null
  const data = { turn: task.turn, status: 'cancelled', reason, message: null, branch } as const
  const [events, ended] = await appendEvents(tx, moved, [{ event: { type: 'task.ended', data }, attempt: 0, n: null, at: now }])
  record(ended, events)
  return ended
}
