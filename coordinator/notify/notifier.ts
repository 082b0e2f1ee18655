import { setMaxListeners } from 'node:events'
import { REASONS, type Reason } from '../../contract/api/reason.ts'
import { isEnded } from '../../contract/api/status.ts'
import type { Presence } from '../live/serve-socket.ts'
import { startLoop } from '../process/loop.ts'
import { findNotifications } from '../store/accounts/notifications.ts'
import type { Audience } from '../store/ledger.ts'
import { whyNobodyTakes } from '../store/runners.ts'
import { findTask, listStuck, listUntold, setTold, type TaskRow } from '../store/tasks.ts'
import { type SendCounts, type SendParts, sendNotice } from './send-notice.ts'
import { type Occasion, occasionsOfEnd, shouldNotify, titleOf } from './should-notify.ts'

/** Notifies people who are away of what happened to their tasks. */
export type Notifier = {
  /** Only notes what to notify of; the notices are sent in the background. */
  audience: Audience
  /** Sends one notice to a user now, whatever they are looking at. */
  test: (userId: string) => Promise<SendCounts>
  /** Stops sending. */
  stop: () => Promise<void>
}

export type NotifierParts = SendParts & {
  presence: Presence
  publicUrl: string
  /** How long a task waits for a runner before its user is notified, ms. */
  longWaitMs?: number
  /** The pauses before each further try, ms. */
  pausesMs?: readonly number[]
}

const LONG_WAIT_MS = 60_000
const LOOKS_PER_WAIT = 12
const PAUSES_MS = [1_000, 10_000]

/** The state of one notifier. */
type Work = NotifierParts & {
  signal: AbortSignal
  running: Set<Promise<void>>
  /** Task and turn of the ends whose notices are being sent. */
  ends: Set<string>
  /** Those of them whose notices were sent but are not yet marked as sent in the store. */
  sent: Set<string>
}

export function openNotifier(parts: NotifierParts): Notifier {
  const { db, log, publicUrl, longWaitMs = LONG_WAIT_MS } = parts
  const stopping = new AbortController()
  // Each notice that is being sent listens to it.
  setMaxListeners(0, stopping.signal)
  const work: Work = { ...parts, signal: stopping.signal, running: new Set(), ends: new Set(), sent: new Set() }
  const longWaits = createLongWaits(longWaitMs)
  const loop = startLoop({
    work: async () => {
      const now = Date.now()
      const nobody = await whyNobodyTakes(db, now)
      for (const task of longWaits(await listStuck(db, nobody), now))
        run(work, tell(work, task, ['attention'], nobody ?? task.reason ?? 'no_runner'))
      // After a start, this runs late enough for open apps to have reported what they are looking at.
      for (const { id, turn } of await listUntold(db)) beginEnd(work, id, turn)
    },
    onError: (error) => log.error({ event: 'notification.look_failed', err: error }),
    everyMs: longWaitMs / LOOKS_PER_WAIT,
  })
  return {
    audience: {
      events: (_userId, events) => {
        for (const { type, taskId, data } of events) if (type === 'task.ended') beginEnd(work, taskId, data.turn)
      },
      task: () => undefined,
      deleted: () => undefined,
    },
    test: (userId) => sendNotice(parts, userId, { ...TEST, url: publicUrl }, [], stopping.signal),
    stop: async () => {
      stopping.abort()
      await loop.stop()
      await Promise.all(work.running)
    },
  }
}

const TEST = { title: 'Errand', body: 'Notifications reach this device.', taskId: 'test' }

function beginEnd(work: Work, taskId: string, turn: number): void {
  const key = keyOf(taskId, turn)
  if (work.ends.has(key)) return
  work.ends.add(key)
  run(
    work,
    tellEnd(work, taskId, turn).finally(() => work.ends.delete(key)),
  )
}

async function tellEnd(work: Work, taskId: string, turn: number): Promise<void> {
  const task = await findTask(work.db, taskId)
  // A waiting message may have started the next turn at once: then there is nothing to come back for.
  if (!task?.reason || task.turn !== turn || !isEnded(task.status)) return
  const key = keyOf(taskId, turn)
  const occasions = occasionsOfEnd(task.status, task.reason)
  if (occasions.length > 0 && !work.sent.has(key)) await tell(work, task, occasions, task.reason)
  work.sent.add(key)
  // Not earlier: if a crash or a stop prevents the notice, the next start sends it.
  await setTold(work.db, taskId, turn)
  work.sent.delete(key)
}

async function tell(work: Work, task: TaskRow, occasions: readonly Occasion[], reason: Reason): Promise<void> {
  const { db, log, presence, publicUrl, pausesMs = PAUSES_MS, signal } = work
  const facts = { taskId: task.id, userId: task.user_id, reason }
  const inFront = presence.isInFront(task.user_id, task.id)
  if (!shouldNotify(occasions, await findNotifications(db, task.user_id), inFront))
    return log.info({ event: 'notification.suppressed', ...facts, inFront })
  const notice = { title: titleOf(task.prompt), body: REASONS[reason], taskId: task.id, url: `${publicUrl}/task/${task.id}` }
  await sendNotice(work, task.user_id, notice, pausesMs, signal)
}

/** Runs it in the background; `stop` waits for it. */
function run({ signal, running, log }: Work, telling: Promise<void>): void {
  const handled = telling
    .catch((error) => {
      if (!signal.aborted) log.error({ event: 'notification.error', err: error })
    })
    .finally(() => running.delete(handled))
  running.add(handled)
}

/**
 * Remembers what was waiting at each call.
 * @returns a function that returns what has waited for `longMs` without a break, once per turn
 */
function createLongWaits(longMs: number): <T extends { id: string; turn: number }>(waiting: readonly T[], now: number) => T[] {
  let seen = new Map<string, { since: number; named: boolean }>()
  return (waiting, now) => {
    const before = seen
    seen = new Map()
    return waiting.filter(({ id, turn }) => {
      const key = keyOf(id, turn)
      const { since, named } = before.get(key) ?? { since: now, named: false }
      const isLong = now - since >= longMs
      seen.set(key, { since, named: named || isLong })
      return isLong && !named
    })
  }
}

function keyOf(taskId: string, turn: number): string {
  return `${taskId} ${turn}`
}
