import type { RunnerWord } from '../../contract/wire/river.ts'
import { type End, endAttempt } from '../attempts/end-attempt.ts'
import { type AttemptRow, findAttempt, updateAttempt } from '../store/attempts.ts'
import { type Addition, appendEvents } from '../store/events.ts'
import { findMessage, updateMessage } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, findTask, type TaskRow, updateTask } from '../store/tasks.ts'
import { foldEvent } from './fold-event.ts'
import type { Received } from './stream-entry.ts'

/** What the runner is told about one attempt, and whether it has ended with this. */
export type Taken = { runnerId: string; taskId: string; attempt: number; word: RunnerWord; ended: boolean; stored: number }

/**
 * Stores what came of one attempt, and what it means for the task. Only the current, open attempt is heard; of its events only
 * those that follow on each other: a lower number is a repeat, after a hole nothing is taken until the runner sends again. Of any other
 * attempt counts what it cost, and nothing else.
 * @param entries all of one attempt
 * @returns null for an attempt that never was
 */
export async function takeEvents(
  tx: Store,
  record: RecordChange,
  entries: readonly [Received, ...Received[]],
): Promise<Taken | null> {
  const { taskId, attempt: number } = entries[0]
  const attempt = await findAttempt(tx, taskId, number)
  const task = await findTask(tx, taskId)
  if (!attempt || !task) return null
  const told = (word: RunnerWord, ended: boolean, stored: number): Taken => ({
    runnerId: attempt.runner_id,
    taskId,
    attempt: number,
    word,
    ended,
    stored,
  })
  if (attempt.ended_at !== null || task.attempt !== number) {
    const repeats = entries.every(({ n }) => n <= attempt.last_n)
    const n = await countLate(tx, record, task, attempt, entries)
    return told({ type: repeats ? 'acknowledged' : 'refused', n }, false, 0)
  }

  let lastN = attempt.last_n
  let change: Change = {}
  let end: Omit<End, 'by'> | null = null
  const additions: Addition[] = []
  for (const { n, at, event } of entries) {
    if (n !== lastN + 1 || end) continue
    lastN = n
    if (event === null) continue
    if (event.type === 'message.delivered' && !(await noteDelivery(tx, task, event.data.messageId, at))) continue
    if (event.type === 'attempt.ended') end = { ...event.data, n, at }
    else {
      change = { ...change, ...foldEvent({ ...task, ...change }, event) }
      additions.push({ event, attempt: number, n, at })
    }
  }
  const word: RunnerWord = { type: 'acknowledged', n: lastN }
  if (lastN === attempt.last_n) return told(word, false, 0)

  const isChanged = Object.keys(change).length > 0
  const changed = isChanged ? await updateTask(tx, task, change) : task
  const [events, appended] = await appendEvents(tx, changed, additions)
  const current = await updateAttempt(tx, attempt, { last_n: lastN })
  record(appended, events, isChanged ? undefined : 'same')
  if (end) await endAttempt(tx, record, appended, current, { ...end, by: 'attempt' })
  return told(word, end !== null, additions.length)
}

/**
 * Money is spent, whoever believes the rest: a runner that was cut off or killed tells of it when its attempt has ended without it, and
 * perhaps another has begun. Only the totals of the task move. In the history the attempt is closed, and nothing comes after that.
 * @returns the number of the last event that was taken
 */
async function countLate(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  attempt: AttemptRow,
  entries: readonly Received[],
): Promise<number> {
  let lastN = attempt.last_n
  let change: Change = {}
  for (const { n, event } of entries) {
    if (n !== lastN + 1) continue
    lastN = n
    if (event?.type === 'usage.counted') change = foldEvent({ ...task, ...change }, event)
  }
  if (lastN > attempt.last_n) await updateAttempt(tx, attempt, { last_n: lastN })
  if (Object.keys(change).length > 0) record(await updateTask(tx, task, change), [])
  return lastN
}

/**
 * An agent took a message. One that was withdrawn in the same moment counts as delivered: the model has it.
 * @returns false for what is not news, or was not an agent's to take
 */
async function noteDelivery(tx: Store, task: TaskRow, messageId: string, at: number): Promise<boolean> {
  const message = await findMessage(tx, task.id, messageId)
  if (message?.mode !== 'steer' || message.state === 'delivered') return false
  await updateMessage(tx, message, { state: 'delivered', turn: task.turn, delivered_at: at })
  return true
}
