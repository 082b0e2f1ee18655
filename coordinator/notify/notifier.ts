import { REASONS, type Reason } from '../../contract/api/reason.ts'
import { isEnded } from '../../contract/api/status.ts'
import type { Presence } from '../live/presence.ts'
import { startLoop } from '../process/loop.ts'
import { findNotifications } from '../store/accounts/notifications.ts'
import type { Audience } from '../store/ledger.ts'
import { findTask, listUntold, listWithoutRunner, setTold, type TaskRow } from '../store/tasks.ts'
import { type Delivered, type DeliveryParts, deliverNotice } from './deliver-notice.ts'
import { createLongWaits } from './long-waits.ts'
import { type Occasion, occasionsOfEnd, shouldNotify, titleOf } from './should-notify.ts'

/** Tells people who are away what became of their tasks. */
export type Notifier = {
  /** Only notes what is to be told; the telling goes on by itself, and nobody waits for it. */
  audience: Audience
  /** Tells a user something now, once, whatever they look at. */
  test: (userId: string) => Promise<Delivered>
  /** Ends what is being told. */
  stop: () => Promise<void>
}

export type NotifierParts = DeliveryParts & {
  presence: Presence
  publicUrl: string
  /** How long a task waits for a runner until its user is told, ms. */
  longWaitMs?: number
  /** Before each further try, ms. */
  pausesMs?: readonly number[]
}

const LONG_WAIT_MS = 60_000
const LOOKS_PER_WAIT = 12
const PAUSES_MS = [1_000, 10_000]

export function createNotifier(parts: NotifierParts): Notifier {
  const { db, log, presence, publicUrl, longWaitMs = LONG_WAIT_MS, pausesMs = PAUSES_MS } = parts
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()
  /** Task and turn of the ends that are being told. */
  const ends = new Set<string>()
  /** Those of them that were told, while the store does not take the note of it. */
  const delivered = new Set<string>()

  const tell = async (task: TaskRow, occasions: readonly Occasion[], reason: Reason): Promise<void> => {
    const facts = { taskId: task.id, userId: task.user_id, reason }
    const inFront = presence.isInFront(task.user_id, task.id)
    if (!shouldNotify(occasions, await findNotifications(db, task.user_id), inFront))
      return log.info({ event: 'notification.suppressed', ...facts, inFront })
    const notice = { title: titleOf(task.prompt), body: REASONS[reason], taskId: task.id, url: `${publicUrl}/task/${task.id}` }
    await deliverNotice(parts, task.user_id, notice, pausesMs, stopping.signal)
  }

  const tellEnd = async (taskId: string, turn: number): Promise<void> => {
    const task = await findTask(db, taskId)
    // The next turn may have begun at once, with a message that waited: then there is nothing to come back for.
    if (!task?.reason || task.turn !== turn || !isEnded(task.status)) return
    const key = keyOf(taskId, turn)
    const occasions = occasionsOfEnd(task.status, task.reason)
    if (occasions.length > 0 && !delivered.has(key)) await tell(task, occasions, task.reason)
    delivered.add(key)
    // Not before: an end that a crash or a stop kept from being told is told after the next start.
    await setTold(db, taskId, turn)
    delivered.delete(key)
  }

  const begin = (telling: Promise<void>): void => {
    const handled = telling
      .catch((error) => {
        if (!stopping.signal.aborted) log.error({ event: 'notification.error', err: error })
      })
      .finally(() => underWay.delete(handled))
    underWay.add(handled)
  }

  const beginEnd = (taskId: string, turn: number): void => {
    const key = keyOf(taskId, turn)
    if (ends.has(key)) return
    ends.add(key)
    begin(tellEnd(taskId, turn).finally(() => ends.delete(key)))
  }

  const longWaits = createLongWaits(longWaitMs)
  const loop = startLoop({
    work: async () => {
      for (const task of longWaits(await listWithoutRunner(db), Date.now()))
        begin(tell(task, ['attention'], task.reason ?? 'no_runner'))
      // After a start this comes late enough for open apps to have said what they look at.
      for (const { id, turn } of await listUntold(db)) beginEnd(id, turn)
    },
    onError: (error) => log.error({ event: 'notification.look_failed', err: error }),
    everyMs: longWaitMs / LOOKS_PER_WAIT,
  })

  return {
    audience: {
      events: (_userId, events) => {
        for (const { type, taskId, data } of events) if (type === 'task.ended') beginEnd(taskId, data.turn)
      },
      task: () => undefined,
    },
    test: (userId) => deliverNotice(parts, userId, { ...TEST, url: publicUrl }, [], stopping.signal),
    stop: async () => {
      stopping.abort()
      await loop.stop()
      await Promise.all(underWay)
    },
  }
}

function keyOf(taskId: string, turn: number): string {
  return `${taskId} ${turn}`
}

const TEST = { title: 'Errand', body: 'Notifications reach this device.', taskId: 'test' }
