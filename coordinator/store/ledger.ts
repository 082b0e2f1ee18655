import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { listQueuePlaces } from './queue-places.ts'
import type { Store } from './sqlite/database.ts'
import { type TaskRow, taskOf } from './tasks.ts'

/** Those who are told what happened, after it is stored. */
export type Audience = {
  events: (userId: string, events: readonly TaskEvent[]) => void
  task: (userId: string, task: Task) => void
}

/**
 * Notes what happened to a task, to be told once the transaction is through: what was appended to its history, and the summary,
 * unless nothing of it changed but `lastSeq`.
 */
export type RecordChange = (task: TaskRow, events: readonly TaskEvent[], summary?: 'same') => void

export type Ledger = {
  /**
   * Runs `work` in one transaction and tells what it recorded after the commit; nothing is told of a transaction that failed.
   * Writes go one after another, each told before the next begins, so that events are told in the order of their `seq`.
   * `work` awaits nothing but its own queries: the whole store waits for it.
   */
  write: <T>(work: (tx: Store, record: RecordChange) => Promise<T>) => Promise<T>
}

export function createLedger(db: Store, ...audiences: readonly Audience[]): Ledger {
  let last: Promise<unknown> = Promise.resolve()
  const writeNow = async <T>(work: (tx: Store, record: RecordChange) => Promise<T>): Promise<T> => {
    const recorded: Parameters<RecordChange>[] = []
    const result = await db.transaction().execute((tx) => work(tx, (...change) => recorded.push(change)))
    // Once for all that was recorded, and only when a task that waits is shown.
    const waits = recorded.some(([{ status }, , summary]) => status === 'pending' && summary !== 'same')
    const places = waits ? await listQueuePlaces(db) : null
    const placeOf = ({ id, status }: TaskRow) => (status === 'pending' ? (places?.get(id) ?? 0) : null)
    for (const [task, events, summary] of recorded)
      for (const audience of audiences) {
        if (events.length > 0) audience.events(task.user_id, events)
        if (summary !== 'same') audience.task(task.user_id, taskOf(task, placeOf(task)))
      }
    return result
  }
  const write: Ledger['write'] = (work) => {
    const mine = last.then(() => writeNow(work))
    // Whoever asked hears of a failure; the next write goes on without.
    last = mine.catch(() => undefined)
    return mine
  }
  return { write }
}
