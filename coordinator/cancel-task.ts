import type { Task } from '../contract/api.ts'
import { Refusal } from './errors.ts'
import type { Say } from './ledger.ts'
import { findOwn } from './own-task.ts'
import { findAttempt } from './store/attempts.ts'
import type { Store } from './store/database.ts'
import { appendEvents, wasPushed } from './store/events.ts'
import { findMessage, listWaitingMessages } from './store/inbox.ts'
import { moveTask, summaryOf, type TaskRow, updateTask } from './store/tasks.ts'
import type { TaskParts } from './tasks.ts'
import { withdraw } from './withdraw-message.ts'

/**
 * A waiting task ends here; a running one is noted as to be stopped, and ends when its runner says so or is lost. What waits to be said to
 * it is taken back; what is said after this begins the next turn.
 */
export const cancelTask = async (parts: TaskParts, userId: string, taskId: string): Promise<Task> => {
  const { db, ledger, dispatch, sayToRunner, log } = parts
  const now = Date.now()
  const row = await ledger.write(async (tx, say) => {
    const task = await findOwn(tx, userId, taskId)
    if (task.status === 'pending') return cancelWaiting(tx, say, task, now)
    if (task.status !== 'running') throw new Refusal('conflict', 'This task has ended already.')
    const { task: told } = await withdraw(tx, say, task, await listWaitingMessages(tx, taskId))
    return updateTask(tx, told, { cancel_requested_at: task.cancel_requested_at ?? now })
  })
  log.info({ event: 'task.cancel_requested', taskId, userId, status: row.status })
  try {
    if (row.status === 'cancelled') await dispatch.withdraw(taskId, row.turn)
    const attempt = row.status === 'running' ? await findAttempt(db, taskId, row.attempt) : undefined
    if (attempt) await sayToRunner(attempt.runner_id, taskId, row.attempt, { say: 'cancel' })
  } catch (error) {
    // The reconciler takes the job out of the queue, and the runner hears of it when it renews its lease.
    log.warn({ event: 'task.cancel_delayed', taskId, err: error })
  }
  if (row.status === 'cancelled') dispatch.nudge()
  return summaryOf(db, row)
}

const cancelWaiting = async (tx: Store, say: Say, task: TaskRow, now: number): Promise<TaskRow> => {
  const reason = 'cancelled_by_user'
  const first = task.message_id === null ? undefined : await findMessage(tx, task.id, task.message_id)
  const waiting = [...(first?.state === 'waiting' ? [first] : []), ...(await listWaitingMessages(tx, task.id))]
  const { task: told } = await withdraw(tx, say, task, waiting)
  const moved = await moveTask(tx, told, 'cancelled', 'user', { reason, error: null }, now)
  const branch = (await wasPushed(tx, task.id)) ? task.branch : null
  const data = { turn: task.turn, status: 'cancelled', reason, message: null, branch } as const
  const [events, ended] = await appendEvents(tx, moved, [{ event: { type: 'task.ended', data }, attempt: 0, n: null, at: now }])
  say(ended, events)
  return ended
}
