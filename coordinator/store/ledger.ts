import type { Task } from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import type { Reason } from '../../contract/api/reason.ts'
import { type Line, readLine } from './line.ts'
import { whyNobodyTakes } from './runners.ts'
import type { Store } from './sqlite/database.ts'
import { taskOf } from './summary.ts'
import { findTasks, setRetrying, type TaskRow } from './tasks.ts'

/** Parts of the server that are told what happened, after it is stored. */
export type Audience = {
  events: (userId: string, events: readonly TaskEvent[]) => void
  task: (userId: string, task: Task) => void
  /** A person deleted a task: it is gone. */
  deleted: (userId: string, taskId: string) => void
}

/**
 * Records what happened to a task, to be told once the transaction is committed: the events that were appended to its history, and its
 * summary, unless only `lastSeq` changed in it, or the task was deleted.
 */
export type RecordChange = (task: TaskRow, events: readonly TaskEvent[], summary?: 'same' | 'deleted') => void

export type Ledger = {
  /**
   * Runs `work` in one transaction and tells what it recorded after the commit; nothing is told of a transaction that failed.
   * Writes go one after another, each told before the next begins, so that events are told in the order of their `seq`.
   * `work` awaits only its own queries: the whole store waits for it.
   */
  write: <T>(work: (tx: Store, record: RecordChange) => Promise<T>) => Promise<T>
  /** Tells the waiting tasks at the head of the line when runners have started or stopped taking tasks. To be called every few seconds. */
  tellWaiting: () => Promise<void>
}

export function createLedger(db: Store, ...audiences: readonly Audience[]): Ledger {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act)
    // The caller hears of a failure; the next write goes on regardless.
    last = mine.catch(() => undefined)
    return mine
  }

  /** Why no runner takes tasks, as waiting tasks were told last; undefined: not all of them were told the same. */
  let toldNobody: Reason | null | undefined
  let nobodyAt = 0
  const isNews = (nobody: Reason | null, now: number): boolean => {
    if (nobody !== null) nobodyAt = now
    return nobody !== toldNobody
  }
  const tellLine = async (line: Line, alreadyTold: ReadonlySet<string>): Promise<void> => {
    if (toldNobody && line.nobody === null) await setRetrying(db, nobodyAt)
    for (const task of await findTasks(db, line.taskIds))
      if (task.status === 'pending' && !alreadyTold.has(task.id))
        for (const audience of audiences) audience.task(task.user_id, taskOf(task, line))
    toldNobody = line.nobody
  }

  const writeNow = async <T>(work: (tx: Store, record: RecordChange) => Promise<T>): Promise<T> => {
    const changes: Parameters<RecordChange>[] = []
    const result = await db.transaction().execute((tx) => work(tx, (...change) => changes.push(change)))
    const waiting = changes.flatMap(([{ id, status }, , summary]) => (status === 'pending' && summary === undefined ? [id] : []))
    const now = Date.now()
    const line = waiting.length > 0 ? await readLine(db, now) : null
    for (const [task, events, summary] of changes)
      for (const audience of audiences) {
        if (events.length > 0) audience.events(task.user_id, events)
        if (summary === undefined) audience.task(task.user_id, taskOf(task, line))
        if (summary === 'deleted') audience.deleted(task.user_id, task.id)
      }
    if (line && isNews(line.nobody, now))
      await tellLine(line, new Set(waiting)).catch(() => {
        // This write succeeded all the same. The next `tellWaiting` tells all of them.
        toldNobody = undefined
      })
    return result
  }

  return {
    write: (work) => inTurn(() => writeNow(work)),
    tellWaiting: () =>
      inTurn(async () => {
        const now = Date.now()
        if (isNews(await whyNobodyTakes(db, now), now)) await tellLine(await readLine(db, now), new Set())
      }),
  }
}
