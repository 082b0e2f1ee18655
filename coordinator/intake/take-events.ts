import type { NewEvent } from '../../contract/api/event.ts'
import type { RunnerWord } from '../../contract/wire/river.ts'
import { endAttempt } from '../attempts/end-attempt.ts'
import { type AttemptRow, findAttempt, updateAttempt } from '../store/attempts.ts'
import { type Addition, appendEvents } from '../store/events.ts'
import { findMessage, updateMessage } from '../store/inbox.ts'
import type { RecordChange } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { type Change, findTask, type TaskRow, updateTask } from '../store/tasks.ts'
import type { Received } from './stream-entry.ts'

/**
 * `word`: what to send to the attempt's runner; `ended`: whether the attempt ended with these events; `stored`: how many events were new.
 */
export type Taken = { runnerId: string; taskId: string; attempt: number; word: RunnerWord; ended: boolean; stored: number }

type Result = Pick<Taken, 'word' | 'ended' | 'stored'>

/**
 * Stores the events of one attempt and updates its task. Only the current, open attempt is believed. Its events must be consecutive: a
 * lower number is a repeat, and nothing after a gap is taken until the runner sends again. For any other attempt, only its cost is
 * recorded.
 * @param entries all of one attempt
 * @returns null for an attempt that does not exist
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
  const last = entries.at(-1)?.n ?? 0
  if (task.deleted_at !== null)
    return { runnerId: attempt.runner_id, taskId, attempt: number, word: { type: 'refused', n: last }, ended: false, stored: 0 }
  const isCurrent = attempt.ended_at === null && task.attempt === number
  const take = isCurrent ? takeCurrent : takeCost
  return { runnerId: attempt.runner_id, taskId, attempt: number, ...(await take(tx, record, task, attempt, entries)) }
}

async function takeCurrent(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  attempt: AttemptRow,
  entries: readonly Received[],
): Promise<Result> {
  let lastN = attempt.last_n
  let change: Change = {}
  let end: { event: Extract<NewEvent, { type: 'attempt.ended' }>; at: number } | null = null
  const additions: Addition[] = []
  for (const { n, at, event } of followingOn(entries, lastN)) {
    lastN = n
    if (event === null) continue
    if (event.type === 'attempt.ended') {
      end = { event, at }
      break
    }
    if (event.type === 'message.delivered' && !(await takeDelivery(tx, task, event.data.messageId, at))) continue
    change = { ...change, ...foldEvent({ ...task, ...change }, event) }
    additions.push({ event, attempt: attempt.attempt, n, at })
  }
  const word: RunnerWord = { type: 'acknowledged', n: lastN }
  if (lastN === attempt.last_n) return { word, ended: false, stored: 0 }

  const isChanged = Object.keys(change).length > 0
  const changed = isChanged ? await updateTask(tx, task, change) : task
  const [events, appended] = await appendEvents(tx, changed, additions)
  const current = await updateAttempt(tx, attempt, { last_n: lastN })
  record(appended, events, isChanged ? undefined : 'same')
  if (end) await endAttempt(tx, record, appended, current, { ...end.event.data, n: lastN, at: end.at, by: 'attempt' })
  return { word, ended: end !== null, stored: additions.length }
}

/**
 * Counts the cost of an attempt that has ended or is not the current one: the money is spent, whatever happens to the work. A runner that
 * was cut off or killed reports it late. Only the task's totals change; in the history the attempt is closed.
 */
async function takeCost(
  tx: Store,
  record: RecordChange,
  task: TaskRow,
  attempt: AttemptRow,
  entries: readonly Received[],
): Promise<Result> {
  let n = attempt.last_n
  let change: Change = {}
  for (const entry of followingOn(entries, n)) {
    n = entry.n
    if (entry.event?.type === 'usage.counted') change = foldEvent({ ...task, ...change }, entry.event)
  }
  if (n > attempt.last_n) await updateAttempt(tx, attempt, { last_n: n })
  if (Object.keys(change).length > 0) record(await updateTask(tx, task, change), [])
  const onlyRepeats = entries.every((entry) => entry.n <= attempt.last_n)
  return { word: { type: onlyRepeats ? 'acknowledged' : 'refused', n }, ended: false, stored: 0 }
}

/** Pure. The consecutive entries that start right after `lastN`. */
function followingOn(entries: readonly Received[], lastN: number): Received[] {
  const following: Received[] = []
  for (const entry of entries) if (entry.n === lastN + 1 + following.length) following.push(entry)
  return following
}

/**
 * The agent took a message. A message that was withdrawn at the same moment counts as delivered, because the model has it.
 * @returns false if it was already delivered, or was not meant for a running turn
 */
async function takeDelivery(tx: Store, task: TaskRow, messageId: string, at: number): Promise<boolean> {
  const message = await findMessage(tx, task.id, messageId)
  if (message?.mode !== 'steer' || message.state === 'delivered') return false
  await updateMessage(tx, message, { state: 'delivered', turn: task.turn, delivered_at: at })
  return true
}

/** Pure. What an event changes in its task's row. */
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
