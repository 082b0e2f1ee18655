import type { NewEvent } from '../../contract/api/event.ts'
import type { Reason } from '../../contract/api/reason.ts'
import { REASONS } from '../../contract/api/reason.ts'
import type { Mover } from '../../contract/api/status.ts'
import { deleteCheckpoints } from '../store/artifacts.ts'
import { type Addition, appendEvents } from '../store/events.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, moveTask, type TaskRow } from '../store/tasks.ts'
import { beginWaitingTurn } from './begin-turn.ts'

/** How a turn ended: where the task stands now, and the event that closes its history. */
export type TurnEnd = { status: 'completed' | 'failed' | 'cancelled'; change: Change; closing: NewEvent }

/**
 * Ends a turn: the one place where that happens. The task moves, `task.ended` comes last, and a message that waited begins the next turn.
 * @param before events of the same moment that come before `task.ended`
 */
export async function endTurn(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  end: TurnEnd & { by: Mover; at: number },
  before: readonly Addition[] = [],
): Promise<TaskRow> {
  await deleteCheckpoints(tx, task.id)
  const moved = await moveTask(tx, task, end.status, end.by, end.change, end.at)
  const closing: Addition = { event: end.closing, attempt: 0, n: null, at: end.at }
  const [events, ended] = await appendEvents(tx, moved, [...before, closing])
  record(ended, events)
  return beginWaitingTurn(tx, record, ended)
}

/** Pure. @param pushed whether the task's branch holds anything */
export function describeTurnEnd(
  task: TaskRow,
  status: TurnEnd['status'],
  reason: Reason,
  message: string | null,
  pushed: boolean,
): TurnEnd {
  return {
    status,
    change: { reason, error: status === 'failed' ? explain(reason, message) : null },
    closing: { type: 'task.ended', data: { turn: task.turn, status, reason, message, branch: pushed ? task.branch : null } },
  }
}

/** The advice comes first; the exact message follows it. */
export function explain(reason: Reason, message: string | null): string {
  return message === null ? REASONS[reason] : `${REASONS[reason]}\n${message}`
}
