import type { Logger } from 'pino'
import { findAttempt } from '../store/attempts.ts'
import { dropCopyMark, findCopyMark, listUnderWay, settleOldNews, skipAttempts } from '../store/copy-mark.ts'
import { wasPushed } from '../store/events.ts'
import { findMessage, listWaitingMessages } from '../store/inbox.ts'
import type { Ledger, RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { TaskRow } from '../store/tasks.ts'
import { describeTurnEnd, endTurn } from '../tasks/end-turn.ts'
import { withdrawMessages } from '../tasks/withdraw-message.ts'
import { endAttempt } from './end-attempt.ts'

/** More attempts than one task makes in the first second after a backup, with a margin for a clock that was set. */
const MARGIN = 1_000

/**
 * The first start on a restored backup. What was under way when the backup was made may have ended since, with all its effects, and the
 * store does not know: so every such turn ends as `restored`, and runs again only if a person retries it. Messages that waited are
 * withdrawn. In one transaction: a start that is killed here does it again, whole.
 */
export async function holdRestored({ ledger, log }: { ledger: Ledger; log: Logger }): Promise<void> {
  const held = await ledger.write(async (tx, record) => {
    const copiedAt = await findCopyMark(tx)
    if (copiedAt === null) return null
    const now = Date.now()
    await settleOldNews(tx)
    const tasks = await listUnderWay(tx)
    for (const task of tasks) await hold(tx, record, task, messageOf(copiedAt), now)
    await skipAttempts(tx, attemptsSince(copiedAt, now))
    await dropCopyMark(tx)
    return { copiedAt: new Date(copiedAt).toISOString(), tasks: tasks.length }
  })
  if (held) log.warn({ event: 'store.restored', ...held })
}

/**
 * Pure. How many attempt numbers to leave out. Runners may still work on attempts that started after the backup, and their numbers and keys
 * would be valid once more. No task starts more than one attempt a second for long, so counting the seconds since the backup leaves out
 * every number that was given since, also by an earlier restore of the same backup.
 */
export function attemptsSince(copiedAt: number, now: number): number {
  return MARGIN + Math.max(0, Math.ceil((now - copiedAt) / 1_000))
}

async function hold(tx: Store, record: RecordChange, found: TaskRow, message: string, at: number): Promise<void> {
  const first = found.message_id === null ? undefined : await findMessage(tx, found.id, found.message_id)
  const waiting = [...(first?.state === 'waiting' ? [first] : []), ...(await listWaitingMessages(tx, found.id, found.message_id))]
  const { task } = await withdrawMessages(tx, record, found, waiting)
  const attempt = task.status === 'running' ? await findAttempt(tx, task.id, task.attempt) : undefined
  if (attempt?.ended_at === null) {
    await endAttempt(tx, record, task, attempt, {
      outcome: 'interrupted',
      reason: 'restored',
      message,
      n: null,
      at,
      by: 'restore',
    })
    return
  }
  const end = describeTurnEnd(task, 'failed', 'restored', message, await wasPushed(tx, task.id))
  await endTurn(tx, record, task, { ...end, by: 'restore', at })
}

function messageOf(copiedAt: number): string {
  return `The backup is of ${new Date(copiedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC.`
}
