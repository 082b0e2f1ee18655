import type { ChangeTask, Task } from '../../contract/api/api.ts'
import { Refusal } from '../process/errors.ts'
import { summaryOf } from '../store/summary.ts'
import { updateTask } from '../store/tasks.ts'
import { sendToAttempt } from '../wire/send-to-runner.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

/**
 * Changes how much a task may cost in all. A running attempt is told at once; if the word is lost, the next renewal of its lease brings it.
 * What has been spent is spent: a budget below it is refused.
 */
export async function changeTask(parts: TaskParts, userId: string, taskId: string, { budgetUsd }: ChangeTask): Promise<Task> {
  const row = await parts.ledger.write(async (tx, record) => {
    const task = await findOwnTask(tx, userId, taskId)
    if (budgetUsd < task.cost_usd)
      throw new Refusal('conflict', `This task has already cost $${task.cost_usd.toFixed(2)}. Set its budget to more than that.`)
    const changed = await updateTask(tx, task, { budget_usd: budgetUsd })
    record(changed, [])
    return changed
  })
  parts.log.info({ event: 'task.budget_changed', taskId, userId, budgetUsd })
  await sendToAttempt(parts, taskId, row.attempt, { type: 'budget', taskBudgetUsd: budgetUsd })
  return summaryOf(parts.db, row)
}
