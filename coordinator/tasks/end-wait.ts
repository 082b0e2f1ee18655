import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, type TaskRow, updateTask } from '../store/tasks.ts'
import type { TaskParts } from './parts.ts'

/** Whether its turn freed its slot because the model did not answer, and its time has not come yet. */
export function isParked({ status, waiting_until }: TaskRow, now = Date.now()): boolean {
  return status === 'pending' && waiting_until !== null && waiting_until > now
}

/**
 * Ends the wait of a parked turn, because a person wants it to go on now. After the commit the caller must call {@link propagateEndOfWait}.
 * @param change to the task at the same time
 */
export async function endWait(tx: Store, record: RecordChange, task: TaskRow, change: Change = {}): Promise<TaskRow> {
  // A time that has come, not null: the reconciler sees by it that the queue has to bring the turn back.
  const woken = await updateTask(tx, task, { ...change, waiting_until: Date.now(), reason: 'queued' })
  record(woken, [])
  return woken
}

/** Tells the queue. If it is away, the reconciler does it later. */
export async function propagateEndOfWait({ dispatch, log }: TaskParts, { id: taskId, turn }: TaskRow): Promise<void> {
  log.info({ event: 'task.wait_ended', taskId, turn })
  try {
    await dispatch.bringBack(taskId, turn)
  } catch (error) {
    log.warn({ event: 'task.wait_end_delayed', taskId, err: error })
  }
}
