import { Refusal } from '../process/errors.ts'
import type { Store } from '../store/sqlite/database.ts'
import { findTaskOfUser, type TaskRow } from '../store/tasks.ts'

/** @throws Refusal `not_found`, also for what is somebody else's */
export async function findOwn(db: Store, userId: string, taskId: string): Promise<TaskRow> {
  const row = await findTaskOfUser(db, userId, taskId)
  if (!row) throw new Refusal('not_found', 'There is no such task.')
  return row
}
