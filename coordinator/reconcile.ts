import type { Logger } from 'pino'
import { LEASE_MS } from '../contract/lease.ts'
import type { Dispatch } from './dispatch.ts'
import { endAttempt, runnerLost } from './end-attempt.ts'
import type { Ledger } from './ledger.ts'
import { startLoop } from './loop.ts'
import { type Seen, settle } from './settle.ts'
import { findAttempt, listRunOut } from './store/attempts.ts'
import type { Store } from './store/database.ts'
import { countSlots } from './store/runners.ts'
import { findTask, listReleased, setWaitReason } from './store/tasks.ts'

export type ReconcileParts = {
  db: Store
  ledger: Ledger
  dispatch: Dispatch
  log: Logger
  /** How long a lease lasts, ms. */
  leaseMs?: number
}

const EVERY_MS = 2_000

/** Settles every task whose store and queue disagree, whatever crash or loss made them. */
export const startReconcile = (parts: ReconcileParts): { stop: () => Promise<void> } => {
  const startedAt = performance.now()
  const loop = startLoop({
    work: () => reconcile(parts, performance.now() - startedAt),
    onError: (error) => parts.log.error({ event: 'reconcile.failed', err: error }),
    everyMs: EVERY_MS,
  })
  loop.wake()
  return loop
}

/** One pass. Each effect looks again before it acts: what was seen may have changed. */
const reconcile = async (parts: ReconcileParts, upMs: number): Promise<void> => {
  const { ledger, dispatch, log } = parts
  await tellTruthOfWaiting(parts)
  const { interrupt, restore, withdraw } = settle(await look(parts, upMs))
  for (const { taskId, attempt } of interrupt) {
    const lost = await ledger.write(async (tx, say) => {
      const [task, row] = [await findTask(tx, taskId), await findAttempt(tx, taskId, attempt)]
      if (!task || !row || row.ended_at !== null || row.lease_until >= Date.now()) return null
      return endAttempt(tx, say, task, row, runnerLost(Date.now()))
    })
    if (lost) log.warn({ event: 'attempt.lost', taskId, attempt, status: lost.status })
  }
  for (const { taskId, turn } of withdraw) {
    await dispatch.withdraw(taskId, turn)
    log.info({ event: 'job.withdrawn', taskId, turn })
  }
  for (const { taskId, turn } of restore)
    if (await dispatch.restore(taskId, turn)) log.info({ event: 'job.restored', taskId, turn })
  if (interrupt.length + withdraw.length > 0) dispatch.nudge()
}

const look = async ({ db, dispatch, leaseMs = LEASE_MS }: ReconcileParts, upMs: number): Promise<Seen> => {
  const released = (await listReleased(db)).map(({ id, turn }) => ({ taskId: id, turn }))
  const runOut = (await listRunOut(db, Date.now())).map(({ task_id, attempt }) => ({ taskId: task_id, attempt }))
  if (!dispatch.isReady()) return { upMs, leaseMs, released, runOut, queued: null }
  const queued = []
  for (const turn of await dispatch.listQueued()) queued.push({ ...turn, task: (await findTask(db, turn.taskId)) ?? null })
  return { upMs, leaseMs, released, runOut, queued }
}

const tellTruthOfWaiting = ({ ledger }: ReconcileParts): Promise<void> =>
  ledger.write(async (tx, say) => {
    const reason = (await countSlots(tx, Date.now())) > 0 ? 'queued' : 'no_runner'
    for (const task of await setWaitReason(tx, reason)) say(task, [])
  })
