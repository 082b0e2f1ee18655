/**
 * How long two processes wait for each other, milliseconds. Each group derives its waits from one number, so that an inner wait ends before
 * the outer one that it is part of; `test/contract/deadlines.test.ts` checks that. A wait that concerns one process is defined in that
 * process.
 */

function shareOf(wholeMs: number, part: number): number {
  return Math.round(wholeMs * part)
}

/** A sandbox that is being stopped: from its SIGTERM to its SIGKILL. */
export const SAVE_MS = 20_000

/** Parts of {@link SAVE_MS}. If a turn is slow at everything at once, the rescue takes over when the agent's time is up. */
export const SAVE = {
  /** The agent ends its tool, saves the work and emits the end of the turn; then the supervisor kills it. */
  agentMs: shareOf(SAVE_MS, 0.45),
  /** A tool call ends by itself, or is given up. */
  toolMs: shareOf(SAVE_MS, 0.1),
  /** All pushes of the agent. */
  agentPushMs: shareOf(SAVE_MS, 0.3),
  /** All pushes of the rescue. */
  rescuePushMs: shareOf(SAVE_MS, 0.4),
  /** The sandbox asks once whether its attempt is still the current one; the gateway waits a little less for the coordinator. */
  leaseAnswerMs: shareOf(SAVE_MS, 0.125),
  leaseWaitMs: shareOf(SAVE_MS, 0.1),
} as const

/** A runner that is being stopped: its sandboxes save their work, then it hands over the last events and closes the queue. */
export const RUNNER_STOP = {
  lastEventsMs: shareOf(SAVE_MS, 0.25),
  closeQueueMs: shareOf(SAVE_MS, 0.25),
  /** The total. Nothing that starts runners may kill one earlier. */
  wholeMs: shareOf(SAVE_MS, 1.5),
} as const

/** How long an attempt belongs to its runner after each renewal. */
export const LEASE_MS = 30_000

/** How often a runner renews all its leases, even if it has none. */
export const RENEW_EVERY_MS = shareOf(LEASE_MS, 1 / 6)

/** A coordinator that takes longer than this to answer a runner counts as away. */
export const COORDINATOR_ANSWER_MS = shareOf(LEASE_MS, 1 / 3)

/**
 * A sandbox whose gateway has not answered for this long ends itself: its runner is gone, the lease has run out, and another runner has the
 * turn. It is a little longer than a lease, so that a runner that comes back just in time finds its sandboxes.
 */
export const ORPHANED_MS = shareOf(LEASE_MS, 1.5)

/** A runner that has not renewed for this long counts as gone. */
export const RUNNER_SILENT_MS = shareOf(LEASE_MS, 1 / 2)

/** BullMQ gives a job to another worker if its worker was silent this long, and this is how often it looks for such jobs. */
export const JOB_LOCK_MS = shareOf(LEASE_MS, 1 / 2)
export const STALL_CHECK_MS = shareOf(LEASE_MS, 1 / 6)

/** How often the coordinator looks for expired leases, and how soon a runner asks again for a turn that is still leased. */
export const LEASE_CHECK_MS = shareOf(LEASE_MS, 1 / 15)
export const LEASE_RETRY_MS = shareOf(LEASE_MS, 1 / 15)

/** How long requests wait at the gateway's fence for the coordinator to confirm that the attempt is the current one. */
export const FENCE = {
  /** A push, an upload or a model call, with its connection open. */
  effectMs: shareOf(LEASE_MS, 1 / 2),
  /** `GET /lease`, which only waits. The sandbox then asks again; its own limit on the gateway is a little longer. */
  askerMs: shareOf(LEASE_MS, 2),
  askerPatienceMs: shareOf(LEASE_MS, 2.5),
} as const

/**
 * How long one attempt waits for an absent coordinator, in total: a day, so that its administrator can sleep. The sandbox keeps the work
 * meanwhile. When the time is over, the work becomes a bundle on the runner's host.
 */
export const COORDINATOR_AWAY_MS = 24 * 60 * 60_000

/** The agent stops working this long before its time limit, or at three quarters of a short one, to save the work. */
export const TIME_RESERVE_MS = 60_000

/** Parts of {@link TIME_RESERVE_MS}. */
export const TIME_UP = {
  pushMs: shareOf(TIME_RESERVE_MS, 0.75),
  /** The runner stops an agent that exceeds its time limit by this much. */
  overtimeMs: shareOf(TIME_RESERVE_MS, 0.5),
} as const

/** The gateway cuts a model call that is silent for this long. */
export const MODEL_SILENCE_MS = 600_000

/**
 * The agent gives up on a silent call earlier: before its first byte, and between two bytes. A call whose stream stays open but brings only
 * pings may take longer, because the API is silent like this while it prepares a long call of a tool.
 */
export const MODEL_CALL = {
  firstByteMs: shareOf(MODEL_SILENCE_MS, 0.5),
  nextByteMs: shareOf(MODEL_SILENCE_MS, 0.15),
  nextEventMs: MODEL_SILENCE_MS,
} as const

/** How long an attempt waits in its slot for a model that does not answer. After that, its turn waits in the queue. */
export const MODEL_WAIT_MS = 180_000

/** The same for a turn that comes back from the queue, until the model has answered once: it only looks whether the model is there. */
export function firstModelWaitMs(modelWaitMs: number): number {
  return Math.max(1, shareOf(modelWaitMs, 1 / 12))
}

/** How long one turn waits in the queue for the model, in total: a day, like {@link COORDINATOR_AWAY_MS}. Then it has failed. */
export const MODEL_AWAY_MS = 24 * 60 * 60_000

/** An upload of what leaves the host while its turn runs takes this long at most, and the slowest line carries so much. Then it is tried anew. */
const TAIL_BYTES_PER_MS = 500

/** Pure. For the runner's call to the coordinator, and for the sandbox's call to its door, which lasts a little longer. */
export function tailMs(bytes: number): { runnerMs: number; sandboxMs: number } {
  const runnerMs = COORDINATOR_ANSWER_MS + Math.ceil(bytes / TAIL_BYTES_PER_MS)
  return { runnerMs, sandboxMs: runnerMs + shareOf(COORDINATOR_ANSWER_MS, 1 / 2) }
}
