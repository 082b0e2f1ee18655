import type { Logger } from 'pino'
import { LEASE_CHECK_MS, LEASE_MS } from '../../contract/wire/deadlines.ts'
import { endAttempt, runnerLost } from '../attempts/end-attempt.ts'
import type { DiskSpace } from '../process/disk-space.ts'
import { startLoop } from '../process/loop.ts'
import type { Dispatch } from '../queue/dispatch.ts'
import { findAttempt, isRunOut, listRunOut } from '../store/attempts.ts'
import type { Ledger } from '../store/ledger.ts'
import { listReleased } from '../store/line.ts'
import { isDiskLow, setDiskLow } from '../store/runners.ts'
import type { Store } from '../store/sqlite/database.ts'
import { findTask } from '../store/tasks.ts'
import { type Seen, settle } from './settle.ts'

export type ReconcileParts = {
  db: Store
  ledger: Ledger
  dispatch: Dispatch
  disk: DiskSpace
  log: Logger
  /** How long a lease lasts, ms. */
  leaseMs?: number
}

/** Settles every task whose store and queue disagree, whichever crash or loss caused it. */
export function startReconcile(parts: ReconcileParts): { stop: () => Promise<void> } {
  // A runner renews several times within this part of a lease.
  const unbrokenMs = watchUnbroken((parts.leaseMs ?? LEASE_MS) / 3)
  const loop = startLoop({
    work: () => reconcile(parts, unbrokenMs),
    onError: (error) => parts.log.error({ event: 'reconcile.failed', err: error }),
    everyMs: LEASE_CHECK_MS,
  })
  loop.wake()
  return loop
}

/** One pass. Each effect checks again before it acts, because what was seen may have changed. */
async function reconcile(parts: ReconcileParts, unbrokenMs: () => number): Promise<void> {
  const { ledger, dispatch, log } = parts
  await noteRoom(parts)
  await ledger.tellWaiting()
  const { interrupt, restore, bringBack, withdraw } = settle(await look(parts, unbrokenMs))
  await each(interrupt, log, async ({ taskId, attempt }) => {
    const lost = await ledger.write(async (tx, record) => {
      const [task, row] = [await findTask(tx, taskId), await findAttempt(tx, taskId, attempt)]
      if (!task || !row || !isRunOut(row, Date.now())) return null
      return endAttempt(tx, record, task, row, runnerLost(Date.now()))
    })
    if (lost) log.warn({ event: 'attempt.lost', taskId, attempt, status: lost.status })
  })
  await each(withdraw, log, async ({ taskId, turn }) => {
    await dispatch.withdraw(taskId, turn)
    log.info({ event: 'job.withdrawn', taskId, turn })
  })
  await each(restore, log, async (turn) => {
    if (await dispatch.restore(turn)) log.info({ event: 'job.restored', taskId: turn.taskId, turn: turn.turn })
  })
  await each(bringBack, log, async ({ taskId, turn }) => {
    if (await dispatch.bringBack(taskId, turn)) log.info({ event: 'job.brought_back', taskId, turn })
  })
  if (interrupt.length + withdraw.length > 0) dispatch.nudge()
}

/** Whether new work may begin is a fact of the store, so that every waiting task says why. On a disk that is quite full it cannot be noted. */
async function noteRoom({ db, disk, dispatch, log }: ReconcileParts): Promise<void> {
  try {
    const { low, freeBytes, floorBytes } = await disk.look()
    if (low === (await isDiskLow(db))) return
    await setDiskLow(db, low, Date.now())
    log[low ? 'error' : 'info']({ event: low ? 'disk.low' : 'disk.has_room', freeBytes, floorBytes })
    dispatch.nudge()
  } catch (error) {
    log.error({ event: 'disk.unread', err: error })
  }
}

/** A task that cannot be settled does not hold up the others; the next pass tries it again. */
async function each<T extends { taskId: string }>(items: readonly T[], log: Logger, act: (item: T) => Promise<void>) {
  for (const item of items) {
    try {
      await act(item)
    } catch (error) {
      log.error({ event: 'reconcile.task_failed', taskId: item.taskId, err: error })
    }
  }
}

async function look({ db, dispatch, log, leaseMs = LEASE_MS }: ReconcileParts, unbrokenMs: () => number): Promise<Seen> {
  const now = Date.now()
  const released = await listReleased(db)
  const runOut = (await listRunOut(db, now)).map(({ task_id, attempt }) => ({ taskId: task_id, attempt }))
  // Called after the leases were read, so that it sees a break before that.
  const upMs = unbrokenMs()
  const turns = dispatch.isReady() ? await dispatch.listQueued().catch(logUnread(log)) : null
  if (turns === null) return { now, upMs, leaseMs, released, runOut, queued: null }
  const queued = []
  for (const turn of turns) queued.push({ ...turn, task: (await findTask(db, turn.taskId)) ?? null })
  return { now, upMs, leaseMs, released, runOut, queued }
}

/** Leases are judged all the same: what the store alone knows does not wait for the queue. */
function logUnread(log: Logger) {
  return (error: unknown) => {
    log.error({ event: 'reconcile.queue_unread', err: error })
    return null
  }
}

/** The two clocks of a process, ms: the wall clock, which can be set, and one that only runs forward but stands still while the machine sleeps. */
export type Clocks = () => { wallMs: number; steadyMs: number }

function readClocks(): ReturnType<Clocks> {
  return { wallMs: Date.now(), steadyMs: performance.now() }
}

/**
 * Tells at each look how long this process has looked without a break, ms. After a break the time between two looks says nothing about
 * others: the process stood still, the machine slept, or somebody set the clock.
 * @param breakMs a longer time between two looks, or a clock that is off by more, is a break
 */
export function watchUnbroken(breakMs: number, read: Clocks = readClocks): () => number {
  let last = read()
  let since = last.steadyMs
  return () => {
    const now = read()
    const steadyMs = now.steadyMs - last.steadyMs
    const setMs = Math.abs(now.wallMs - last.wallMs - steadyMs)
    if (Math.max(steadyMs, setMs) > breakMs) since = now.steadyMs
    last = now
    return now.steadyMs - since
  }
}
