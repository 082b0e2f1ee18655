import type { Mover } from '../../contract/api/status.ts'
import type { End } from '../../contract/wire/end.ts'
import { type AttemptRow, countInterruptions, readParked, updateAttempt } from '../store/attempts.ts'
import { type Addition, appendEvents, listPairs, wasPushed } from '../store/events.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { moveTask, type TaskRow } from '../store/tasks.ts'
import { endTurn } from '../tasks/end-turn.ts'
import { judgeEnd } from './judge-end.ts'
import { closePairs } from './open-pairs.ts'
import { park } from './park.ts'

export type AttemptEnd = End & {
  /** The runner's number of its `attempt.ended`; null when the coordinator ends the attempt. */
  n: number | null
  at: number
  by: Extract<Mover, 'attempt' | 'reconciler' | 'restore'>
}

/** Ends an open attempt: the one place where that happens. If no attempt follows, the turn ends too. */
export async function endAttempt(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  attempt: AttemptRow,
  end: AttemptEnd,
): Promise<TaskRow> {
  const now = Date.now()
  const { outcome, reason, by } = end
  const numbered = end.n === null ? {} : { last_n: end.n }
  const isParked = outcome === 'interrupted' && reason === 'model_waiting'
  const parking = isParked ? park(end, await readParked(tx, task.id, attempt.turn), now) : null
  const waiting_until = parking && 'until' in parking ? parking.until : null
  await updateAttempt(tx, attempt, { ended_at: now, outcome, reason, waiting_until, ...numbered })
  const additions = await closeAttempt(tx, attempt, end, now)

  const verdict = judgeEnd(task, end, {
    ...(await countInterruptions(tx, task.id, attempt.turn)),
    pushed: await wasPushed(tx, task.id),
    parking,
  })
  if (verdict.closing) return endTurn(tx, record, task, { ...verdict, by, at: now }, additions)
  const waiting = await moveTask(tx, task, verdict.status, by, verdict.change, now)
  const [events, told] = await appendEvents(tx, waiting, additions)
  record(told, events)
  return told
}

/** The events that close what the attempt left open, and its own end. */
async function closeAttempt(tx: Store, { task_id, attempt }: AttemptRow, end: AttemptEnd, now: number): Promise<Addition[]> {
  const { outcome, reason, message, until } = end
  const closed = closePairs(await listPairs(tx, task_id, attempt), end, now)
  return [
    ...closed.map((event) => ({ attempt, n: null, at: now, event })),
    {
      attempt,
      n: end.n,
      at: end.at,
      event: { type: 'attempt.ended', data: { outcome, reason, message, ...(until && { until }) } },
    },
  ]
}

/** The end of an attempt whose runner fell silent. */
export function runnerLost(now: number): AttemptEnd {
  return {
    outcome: 'interrupted',
    reason: 'runner_lost',
    message: null,
    n: null,
    at: now,
    by: 'reconciler',
  }
}
