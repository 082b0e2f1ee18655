import type { Mover } from '../../contract/api/status.ts'
import { type Ended, judgeEnd } from '../intake/fold-event.ts'
import { type AttemptRow, countInterruptions, updateAttempt } from '../store/attempts.ts'
import { type Addition, appendEvents, listPairs, wasPushed } from '../store/events.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { moveTask, type TaskRow } from '../store/tasks.ts'
import { beginWaitingTurn } from '../tasks/begin-turn.ts'
import { closePairs } from './open-pairs.ts'

export type End = Ended & {
  /** The runner's number of its `attempt.ended`; null when the coordinator says it. */
  n: number | null
  at: number
  by: Extract<Mover, 'attempt' | 'reconciler'>
}

/**
 * Ends an attempt that is open, and with it the turn if nothing is left to try: the one place where that happens. A message that waited
 * for the end begins the next turn.
 */
export async function endAttempt(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  attempt: AttemptRow,
  end: End,
): Promise<TaskRow> {
  const now = Date.now()
  const { outcome, reason, message } = end
  const numbered = end.n === null ? {} : { last_n: end.n }
  await updateAttempt(tx, attempt, { ended_at: now, outcome, reason, ...numbered })

  const verdict = judgeEnd(task, end, {
    ...(await countInterruptions(tx, task.id, attempt.turn)),
    pushed: await wasPushed(tx, task.id),
  })
  const moved = await moveTask(tx, task, verdict.status, end.by, verdict.change, now)

  const pairs = await listPairs(tx, task.id, attempt.attempt)
  const ours = { attempt: attempt.attempt, n: null, at: now }
  const additions: Addition[] = [
    ...closePairs(pairs, { outcome, reason, message }, now).map((event) => ({ ...ours, event })),
    { attempt: attempt.attempt, n: end.n, at: end.at, event: { type: 'attempt.ended', data: { outcome, reason, message } } },
    ...(verdict.closing ? [{ ...ours, attempt: 0, event: verdict.closing }] : []),
  ]
  const [events, ended] = await appendEvents(tx, moved, additions)
  record(ended, events)
  return verdict.closing ? beginWaitingTurn(tx, record, ended) : ended
}

/** The end of an attempt whose runner fell silent. */
export function runnerLost(now: number): End {
  return {
    outcome: 'interrupted',
    reason: 'runner_lost',
    message: null,
    n: null,
    at: now,
    by: 'reconciler',
  }
}
