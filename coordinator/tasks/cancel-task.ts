import type { Task } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { Refusal } from '../process/errors.ts'
import { summaryOf } from '../store/summary.ts'
import { findOwn } from './own-task.ts'
import { spreadStop, stopTurn } from './stop-turn.ts'
import type { TaskParts } from './tasks.ts'

/** Stops the turn that waits or runs, and takes back what waits to be said to it; what is said after this begins the next turn. */
export async function cancelTask(parts: TaskParts, userId: string, taskId: string): Promise<Task> {
  const row = await parts.ledger.write(async (tx, record) => {
    const task = await findOwn(tx, userId, taskId)
    if (isEnded(task.status)) throw new Refusal('conflict', 'This task has ended already.')
    return stopTurn(tx, record, task)
  })
  await spreadStop(parts, row)
  return summaryOf(parts.db, row)
}
