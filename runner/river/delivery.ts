import type { NewEvent } from '../../contract/api/event.ts'
import { LIMITS } from '../../contract/api/limits.ts'
import type { OutputPlace, Spool, SpoolEntry } from './spool.ts'

export type DeliveryEnd = 'acknowledged' | 'unanswered' | 'abandoned'

/**
 * Delivers the events of one attempt to the coordinator: spools them, sends them in a window, and sends again until they are acknowledged.
 */
export type Delivery = {
  /**
   * Numbers the event and takes it over, in order; never blocks. After {@link Delivery.finish} it takes nothing more.
   * @param output where the sandbox printed it; all events of one line are emitted one right after the other
   */
  emit: (event: NewEvent, output?: OutputPlace) => void
  /** Resolves when it can take more. Wait for it between events, or memory fills with events that the disk cannot keep up with. */
  ready: () => Promise<void>
  /** Resolves when every event so far is on the disk, or in memory where the disk failed. */
  spooled: () => Promise<void>
  /** No event will follow. @returns how the delivery ended: every event is acknowledged, or no more will be, or it was abandoned */
  finish: () => Promise<DeliveryEnd>
  /** Stops sending. {@link Delivery.finish} returns once everything is spooled, for the next start. */
  abandon: () => void
  /** @returns how many events there are so far */
  count: () => number
  /** The coordinator has every event up to and including `n`. */
  acknowledge: (n: number) => void
  /** No further acknowledgement will come: unacknowledged events are useless now. */
  expectNoAnswer: () => void
  /** Redis is back: try at once. */
  wake: () => void
}

export type DeliveryParts = {
  spool: Spool
  /** Puts entries on the stream in order. @returns the id of each there */
  send: (entries: readonly SpoolEntry[]) => Promise<string[]>
  /** @returns whether the entry with this id is still on the stream, unread */
  isWaiting: (streamId: string) => Promise<boolean>
  /** The spool's disk failed: from now on events are in memory alone. Called once. */
  onSpoolFault: (error: unknown) => void
  onSendFault: (error: unknown) => void
}

const PENDING_EVENTS = 256
const BATCH_ENTRIES = 100
const SEND_AGAIN_MS = 250
/**
 * Sent events count as lost after this long without an acknowledgement. The time doubles each time that sending them again did not help.
 */
const STALL_MS = 1_000
const STALL_MAX_MS = 30_000

type State = {
  readonly parts: DeliveryParts
  /** Numbers of the last event that was emitted, spooled, sent and acknowledged. */
  emitted: number
  spooledN: number
  sent: number
  acknowledged: number
  /** Emitted, and not spooled yet. */
  pending: SpoolEntry[]
  finishing: boolean
  end: DeliveryEnd | null
  /** When the last acknowledgement came, or the events that wait for one were sent; milliseconds. */
  progressAt: number
  stallMs: number
  /** The stream id of each unacknowledged event. */
  readonly streamIds: Map<number, string>
  readonly spoolWork: Bell
  readonly spooled: Bell
  readonly sendWork: Bell
}

export function startDelivery(parts: DeliveryParts): Delivery {
  const state: State = {
    parts,
    emitted: parts.spool.lastN(),
    spooledN: parts.spool.lastN(),
    sent: 0,
    acknowledged: 0,
    pending: [],
    finishing: false,
    end: null,
    progressAt: performance.now(),
    stallMs: STALL_MS,
    streamIds: new Map(),
    spoolWork: createBell(),
    spooled: createBell(),
    sendWork: createBell(),
  }
  const loops = Promise.all([spoolAll(state), sendAll(state)])
  return {
    emit: (event, output) => emit(state, event, output),
    ready: async () => {
      while (state.pending.length >= PENDING_EVENTS && !state.end) await state.spooled.wait()
    },
    spooled: async () => {
      while (state.spooledN < state.emitted && !state.end) await state.spooled.wait()
    },
    finish: async () => {
      state.finishing = true
      state.sendWork.ring()
      await loops
      return state.end ?? 'abandoned'
    },
    abandon: () => endBy(state, 'abandoned'),
    count: () => state.emitted,
    acknowledge: (n) => acknowledge(state, n),
    expectNoAnswer: () => endBy(state, 'unanswered'),
    wake: () => state.sendWork.ring(),
  }
}

function emit(state: State, event: NewEvent, output?: OutputPlace): void {
  if (state.finishing || state.end) return
  state.emitted += 1
  const entry = { n: state.emitted, at: new Date().toISOString(), body: JSON.stringify(event) }
  state.pending.push({ ...entry, ...(output && { output }) })
  state.spoolWork.ring()
}

function acknowledge(state: State, n: number): void {
  if (n <= state.acknowledged || n > state.emitted) return
  for (let done = state.acknowledged + 1; done <= n; done += 1) state.streamIds.delete(done)
  state.acknowledged = n
  state.sent = Math.max(state.sent, n)
  state.progressAt = performance.now()
  state.stallMs = STALL_MS
  state.sendWork.ring()
}

function endBy(state: State, end: DeliveryEnd): void {
  state.end ??= end
  for (const bell of [state.spoolWork, state.spooled, state.sendWork]) bell.ring()
}

async function spoolAll(state: State): Promise<void> {
  while (!state.end || state.pending.length > 0) {
    if (state.pending.length === 0) await state.spoolWork.wait()
    const batch = state.pending
    state.pending = []
    if (batch.length > 0) await state.parts.spool.append(batch).catch(state.parts.onSpoolFault)
    state.spooledN += batch.length
    state.spooled.ring()
    state.sendWork.ring()
  }
}

async function sendAll(state: State): Promise<void> {
  while (!state.end) {
    try {
      await goBackIfLost(state)
      if (await sendNext(state)) continue
      if (state.finishing && state.pending.length === 0 && state.acknowledged >= state.emitted) state.end = 'acknowledged'
      else await state.sendWork.wait(STALL_MS)
    } catch (error) {
      state.parts.onSendFault(error)
      await state.sendWork.wait(SEND_AGAIN_MS)
    }
  }
  for (const bell of [state.spoolWork, state.spooled]) bell.ring()
}

/** @returns whether there was something to send */
async function sendNext(state: State): Promise<boolean> {
  const { spool, send } = state.parts
  const room = Math.min(BATCH_ENTRIES, LIMITS.unacknowledgedEvents - (state.sent - state.acknowledged))
  if (room <= 0 || state.sent >= spool.lastN()) return false
  const entries = await spool.read(state.sent + 1, room)
  const ids = await send(entries)
  if (state.sent === state.acknowledged) state.progressAt = performance.now()
  entries.forEach((entry, index) => {
    // The acknowledgement may arrive before the answer of Redis does.
    if (entry.n > state.acknowledged) state.streamIds.set(entry.n, ids[index] ?? '')
  })
  state.sent = Math.max(state.sent, entries.at(-1)?.n ?? 0)
  return true
}

/**
 * Goes back to the first unacknowledged event if it got lost. While it is still on the stream, the coordinator has not read it, and a
 * second copy would only fill Redis.
 */
async function goBackIfLost(state: State): Promise<void> {
  const silentMs = performance.now() - state.progressAt
  if (state.sent <= state.acknowledged || silentMs < state.stallMs) return
  const first = state.streamIds.get(state.acknowledged + 1)
  if (first && (await state.parts.isWaiting(first))) return
  state.sent = state.acknowledged
  state.progressAt = performance.now()
  state.stallMs = Math.min(2 * state.stallMs, STALL_MAX_MS)
}

type Bell = { ring: () => void; wait: (timeoutMs?: number) => Promise<void> }

/** Something to wait for. If nobody is waiting, a ring is kept for the next wait. */
function createBell(): Bell {
  let rung = false
  let wakeUp: (() => void) | null = null
  return {
    ring: () => {
      rung = true
      wakeUp?.()
    },
    wait: async (timeoutMs) => {
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
