import type { NewEvent } from '../../contract/api/event.ts'
import { REASONS, type Reason } from '../../contract/api/reason.ts'
import { MAX_INTERRUPTED_ATTEMPTS, MAX_INTERRUPTIONS, type Outcome, type TaskStatus } from '../../contract/api/status.ts'
import type { Interruptions } from '../store/attempts.ts'
import type { Change, TaskRow } from '../store/tasks.ts'

/** What an event says about its task, beyond being told. */
export function foldEvent(task: TaskRow, event: NewEvent): Change {
  switch (event.type) {
    case 'usage.counted':
      return {
        input_tokens: task.input_tokens + event.data.inputTokens,
        output_tokens: task.output_tokens + event.data.outputTokens,
        cache_read_tokens: task.cache_read_tokens + event.data.cacheReadTokens,
        cache_write_tokens: task.cache_write_tokens + event.data.cacheWriteTokens,
        cost_usd: task.cost_usd + event.data.costUsd,
      }
    case 'turn.ended': {
      const { diff } = event.data
      return diff ? { diff_files: diff.files, diff_insertions: diff.insertions, diff_deletions: diff.deletions } : {}
    }
    case 'pull_request.opened':
      return { pull_request_url: event.data.url }
    default:
      return {}
  }
}

export type History = Interruptions & { pushed: boolean }
export type Ended = { outcome: Outcome; reason: Reason; message: string | null }
export type Verdict = { status: TaskStatus; change: Change; closing: NewEvent | null }

/**
 * Where a task stands once its attempt ended. A cancel that was accepted before wins over whatever the attempt came to. What is ours to
 * answer for is tried again, unless it happened too often; then the turn has ended, and `closing` says so.
 * @param history.interruptions runners that interrupted this turn, this one included; `interruptedAttempts`: how often, all in all;
 * `pushed`: whether anything is on the task's branch
 */
export function judgeEnd(task: TaskRow, ended: Ended, history: History): Verdict {
  if (task.cancel_requested_at !== null)
    return close(task, 'cancelled', 'cancelled_by_user', doneByThen(ended, history.pushed), history.pushed)
  if (ended.outcome !== 'interrupted') return close(task, ended.outcome, ended.reason, ended.message, history.pushed)
  if (history.interruptions >= MAX_INTERRUPTIONS || history.interruptedAttempts >= MAX_INTERRUPTED_ATTEMPTS) {
    const last = ended.message ?? REASONS[ended.reason]
    return close(task, 'failed', 'abandoned', `The last time: ${last}`.slice(0, 2_000), history.pushed)
  }
  return { status: 'pending', change: { reason: ended.reason, error: null }, closing: null }
}

function close(
  task: TaskRow,
  status: 'completed' | 'failed' | 'cancelled',
  reason: Reason,
  message: string | null,
  pushed: boolean,
): Verdict {
  return {
    status,
    change: { reason, error: status === 'failed' ? explained(reason, message) : null },
    closing: { type: 'task.ended', data: { turn: task.turn, status, reason, message, branch: pushed ? task.branch : null } },
  }
}

/** What a cancelled turn had come to when its end was stored; null when there is nothing to say of it. */
function doneByThen({ outcome, reason, message }: Ended, pushed: boolean): string | null {
  if (outcome === 'interrupted') return null
  if (outcome === 'cancelled') return message
  if (outcome === 'failed') return `The turn had failed by then. ${explained(reason, message)}`.slice(0, 2_000)
  if (reason === 'no_changes') return 'The agent had finished by then, without changing a file.'
  return pushed ? 'The agent had finished by then. Its work is on the branch.' : 'The agent had finished by then.'
}

/** What to do comes first; what exactly was seen follows it. */
function explained(reason: Reason, seen: string | null): string {
  return seen === null ? REASONS[reason] : `${REASONS[reason]}\n${seen}`
}
