import { REASONS } from '../../contract/api/reason.ts'
import { MAX_INTERRUPTED_ATTEMPTS, MAX_INTERRUPTIONS } from '../../contract/api/status.ts'
import { cutText } from '../../contract/shared/characters.ts'
import type { End } from '../../contract/wire/end.ts'
import type { Interruptions } from '../store/attempts.ts'
import type { Change, TaskRow } from '../store/tasks.ts'
import { describeTurnEnd, explain, type TurnEnd } from '../tasks/end-turn.ts'
import type { Parking } from './park.ts'

export type History = Interruptions & { pushed: boolean; parking?: Parking | null }
/** `pending`: another attempt follows. */
export type Verdict = TurnEnd | { status: 'pending'; change: Change; closing: null }

/**
 * Decides what the end of an attempt means for its task. A cancel that was accepted before wins over every outcome. An interrupted turn is
 * retried, unless it was interrupted too often: then it has failed.
 * @param history.interruptions runners that interrupted this turn, this one included; `interruptedAttempts`: how often in total; `pushed`:
 * whether anything was pushed to the task's branch; `parking`: what follows if the model did not answer, null or absent for every other end
 */
export function judgeEnd(task: TaskRow, end: End, history: History): Verdict {
  const { outcome, reason, message } = end
  const { interruptions, interruptedAttempts, pushed } = history
  if (task.cancel_requested_at !== null)
    return describeTurnEnd(task, 'cancelled', 'cancelled_by_user', doneByThen(end, pushed), pushed)
  // Not tried again: a person says whether the turn is to run.
  if (reason === 'restored') return describeTurnEnd(task, 'failed', reason, message, pushed)
  if (outcome !== 'interrupted') return describeTurnEnd(task, outcome, reason, message, pushed)
  if (history.parking) return judgeParking(task, history.parking, reason, pushed)
  if (interruptions >= MAX_INTERRUPTIONS || interruptedAttempts >= MAX_INTERRUPTED_ATTEMPTS) {
    const last = cutText(`The last interruption: ${message ?? REASONS[reason]}`, 2_000)
    return describeTurnEnd(task, 'failed', 'abandoned', last, pushed)
  }
  return { status: 'pending', change: { reason, error: null }, closing: null }
}

function judgeParking(task: TaskRow, parking: Parking, reason: End['reason'], pushed: boolean): Verdict {
  if ('tooLong' in parking) return describeTurnEnd(task, 'failed', 'model_unavailable', parking.tooLong, pushed)
  return { status: 'pending', change: { reason, error: null, waiting_until: parking.until }, closing: null }
}

/** What a cancelled turn had already achieved; null if there is nothing to report. */
function doneByThen({ outcome, reason, message }: End, pushed: boolean): string | null {
  if (outcome === 'interrupted') return null
  if (outcome === 'cancelled') return message
  if (outcome === 'failed') return cutText(`The turn had already failed. ${explain(reason, message)}`, 2_000)
  if (reason === 'no_changes') return 'The agent had already finished, without changing a file.'
  return pushed ? 'The agent had already finished. Its work is on the branch.' : 'The agent had already finished.'
}
