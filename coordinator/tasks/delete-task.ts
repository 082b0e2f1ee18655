import { isEnded } from '../../contract/api/status.ts'
import { Refusal } from '../process/errors.ts'
import { listEndedBefore, markDeleted } from '../store/deleted-tasks.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

/**
 * Deletes an ended task with its history and its files, for good. It is gone for everybody once this resolves; the housekeeping removes its
 * events afterwards, in small steps. Its branch on the git host stays.
 */
export async function deleteTask(parts: Parts, userId: string, taskId: string): Promise<void> {
  const files = await parts.ledger.write(async (tx, record) => {
    const task = await findOwnTask(tx, userId, taskId)
    if (!isEnded(task.status)) throw new Refusal('conflict', 'This task has not ended yet. Cancel it first, then delete it.')
    record(task, [], 'deleted')
    return markDeleted(tx, task, Date.now())
  })
  parts.log.info({ event: 'task.deleted', taskId, userId, files: files.length })
  await parts.artifacts.removeFiles(files)
}

/**
 * Deletes every task that ended before a time.
 * @param time null: none
 * @param mayGoOn is asked before each; false ends it
 * @returns how many
 */
export async function deleteEndedBefore(parts: Parts, time: number | null, mayGoOn: () => Promise<boolean>): Promise<number> {
  let count = 0
  for (;;) {
    const old = time === null ? [] : await listEndedBefore(parts.db, time)
    const before = count
    for (const { id, user_id } of old) {
      if (!(await mayGoOn())) return count
      // Somebody may have begun another turn just now.
      await deleteTask(parts, user_id, id).then(
        () => (count += 1),
        (error) => parts.log.warn({ event: 'task.not_expired', taskId: id, err: error }),
      )
    }
    if (count === before) return count
  }
}

type Parts = Pick<TaskParts, 'db' | 'ledger' | 'artifacts' | 'log'>
