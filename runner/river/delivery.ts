import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Spool, SpoolEntry } from './spool.ts'

export type DeliveryEnd = 'acknowledged' | 'unanswered' | 'abandoned'

/** How an attempt's events reach the coordinator: spooled, sent in a window, sent again until acknowledged. */
export type Delivery = {
  /** Numbers the event and takes it over; in order, never blocks. After {@link Delivery.finish} nothing more is taken. */
  say: (event: NewEvent) => void
  /** Resolves when there is room for more: wait for it between events, or memory grows with what the disk cannot follow. */
  ready: () => Promise<void>
  /** Nothing more will be said. @returns how it went, once every event is stored, or none will be any more, or it was abandoned */
  finish: () => Promise<DeliveryEnd>
  /** Stops trying; {@link Delivery.finish} returns once everything is spooled, for the next start. */
  abandon: () => void
  /** Events so far. */
  said: () => number
  acknowledged: (n: number) => void
  /** Nobody will answer any more: what is not acknowledged yet is of no use to anybody. */
  unanswered: () => void
  /** Redis is back: try at once. */
  wake: () => void
}

export type DeliveryParts = {
  spool: Spool
  /** Puts entries on the stream in order. @returns the id of each there */
  send: (entries: readonly SpoolEntry[]) => Promise<string[]>
  /** Whether the entry with this id is still on the stream, unread. */
  isWaiting: (streamId: string) => Promise<boolean>
  /** The spool's disk failed: what is said from now on is in memory alone. Called once. */
  onSpoolFault: (error: unknown) => void
  onSendFault: (error: unknown) => void
}

const PENDING_EVENTS = 256
const BATCH_ENTRIES = 100
const SEND_AGAIN_MS = 250
/** Without an acknowledgement for this long sent events count as lost; twice as long each time that sending them again did not help. */
const STALL_MS = 1_000
const STALL_MAX_MS = 30_000

export function deliver({ spool, send, isWaiting, onSpoolFault, onSendFault }: DeliveryParts): Delivery {
  let said = spool.lastN()
  let acknowledged = 0
  let sent = 0
  let pending: SpoolEntry[] = []
  let finishing = false
  let over: DeliveryEnd | null = null
  let progressAt = performance.now()
  let stallMs = STALL_MS
  const streamIds = new Map<number, string>()
  const spooled = bell()
  const drained = bell()
  const moved = bell()

  const spoolLoop = async () => {
    while (!over || pending.length > 0) {
      if (pending.length === 0) await spooled.wait()
      const batch = pending
      pending = []
      if (batch.length === 0) continue
      await spool.append(batch).catch(onSpoolFault)
      drained.ring()
      moved.ring()
    }
  }

  const sendNext = async (): Promise<boolean> => {
    const room = Math.min(BATCH_ENTRIES, LIMITS.unacknowledgedEvents - (sent - acknowledged))
    if (room <= 0 || sent >= spool.lastN()) return false
    const entries = await spool.read(sent + 1, room)
    const ids = await send(entries)
    if (sent === acknowledged) progressAt = performance.now()
    entries.forEach((entry, index) => {
      // The acknowledgement may be here before the answer of Redis is.
      if (entry.n > acknowledged) streamIds.set(entry.n, ids[index] ?? '')
    })
    sent = Math.max(sent, entries.at(-1)?.n ?? 0)
    return true
  }

  /**
   * Goes back to the first event without an acknowledgement when it got lost on the way. While it still waits on the stream nobody has
   * read it, and a second copy would only fill Redis.
   */
  const goBack = async () => {
    const silentMs = performance.now() - progressAt
    if (sent <= acknowledged || silentMs < stallMs) return
    const first = streamIds.get(acknowledged + 1)
    if (first && (await isWaiting(first))) return
    sent = acknowledged
    progressAt = performance.now()
    stallMs = Math.min(2 * stallMs, STALL_MAX_MS)
  }

  const sendLoop = async () => {
    while (!over) {
      try {
        await goBack()
        if (await sendNext()) continue
        if (finishing && pending.length === 0 && acknowledged >= said) over = 'acknowledged'
        else await moved.wait(STALL_MS)
      } catch (error) {
        onSendFault(error)
        await moved.wait(SEND_AGAIN_MS)
      }
    }
    spooled.ring()
    drained.ring()
  }

  const spooling = spoolLoop()
  const sending = sendLoop()
  const stop = (how: DeliveryEnd) => {
    over ??= how
    for (const one of [spooled, drained, moved]) one.ring()
  }

  return {
    say: (event) => {
      if (finishing || over) return
      said += 1
      pending.push({ n: said, at: new Date().toISOString(), body: JSON.stringify(event) })
      spooled.ring()
    },
    ready: async () => {
      while (pending.length >= PENDING_EVENTS && !over) await drained.wait()
    },
    finish: async () => {
      finishing = true
      moved.ring()
      await Promise.all([spooling, sending])
      return over ?? 'abandoned'
    },
    abandon: () => stop('abandoned'),
    said: () => said,
    acknowledged: (n) => {
      if (n <= acknowledged || n > said) return
      for (let done = acknowledged + 1; done <= n; done += 1) streamIds.delete(done)
      acknowledged = n
      sent = Math.max(sent, n)
      progressAt = performance.now()
      stallMs = STALL_MS
      moved.ring()
    },
    unanswered: () => stop('unanswered'),
    wake: () => moved.ring(),
  }
}

/** Something to wait on. A ring that nobody waits for is kept for the next who does. */
function bell() {
  let rung = false
  let wakeUp: (() => void) | null = null
  return {
    ring: () => {
      rung = true
      wakeUp?.()
    },
    wait: async (timeoutMs?: number) => {
      if (!rung) {
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((done) => {
          wakeUp = done
          if (timeoutMs !== undefined) timer = setTimeout(done, timeoutMs)
        })
        clearTimeout(timer)
        wakeUp = null
      }
      rung = false
    },
  }
}
