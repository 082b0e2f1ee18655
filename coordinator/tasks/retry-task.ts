import type { RetryTask, Task } from '../../contract/api/api.ts'
import { isEnded } from '../../contract/api/status.ts'
import { Refusal } from '../process/errors.ts'
import { findMessage, findMessageByClientId } from '../store/inbox.ts'
import { summaryOf } from '../store/summary.ts'
import type { Change, TaskRow } from '../store/tasks.ts'
import { beginTurn } from './begin-turn.ts'
import { checkMayBegin } from './create-task.ts'
import { endWait, isParked, propagateEndOfWait } from './end-wait.ts'
import { findOwnTask, type TaskParts } from './parts.ts'

/**
 * Begins a turn with the last turn's message. The branch and the conversation keep what was done so far. A turn that waits for the model
 * is not begun again: it tries now, with the model and the budget that were named.
 */
export async function retryTask(parts: TaskParts, userId: string, taskId: string, input: RetryTask): Promise<Task> {
  const { config, db, ledger, dispatch, log } = parts
  const hasRoom = !(await parts.disk.look()).low
  const { row, created, woken } = await ledger.write(async (tx, record) => {
    const task = await findOwnTask(tx, userId, taskId)
    const clientId = input.clientId ?? null
    if (clientId !== null && (await findMessageByClientId(tx, taskId, clientId)))
      return { row: task, created: false, woken: false }
    if (isParked(task)) return { row: await endWait(tx, record, task, changeOf(task, input)), created: false, woken: true }
    if (!isEnded(task.status))
      throw new Refusal('conflict', 'This task has not ended yet. Send it a message, or cancel it first.')
    await checkMayBegin(tx, userId, config, hasRoom)
    const last = task.message_id === null ? undefined : await findMessage(tx, taskId, task.message_id)
    const begun = await beginTurn(tx, record, task, { text: last?.text ?? task.prompt, clientId }, changeOf(task, input))
    return { row: begun.task, created: true, woken: false }
  })
  if (created) {
    log.info({ event: 'task.retried', taskId, userId, turn: row.turn })
    dispatch.nudge()
  }
  if (woken) await propagateEndOfWait(parts, row)
  return summaryOf(db, row)
}

function changeOf(task: TaskRow, { model, effort, budgetUsd }: RetryTask): Change {
  return {
    ...(model && { model }),
    ...(effort && { effort }),
    ...(budgetUsd && { budget_usd: Math.max(task.budget_usd, task.cost_usd) + budgetUsd }),
  }
}
