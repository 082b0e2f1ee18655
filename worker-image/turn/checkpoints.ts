import { LIMITS } from '../../contract/api/limits.ts'
import type { RestoredCheckpoint } from '../checkpoint/state.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import { type Hands, readPieces } from '../hands/hands.ts'
import { PIECE_BYTES } from '../hands/protocol.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import type { Workspace } from '../workspace/workspace.ts'

/** Brings the work tree to the coordinator while the turn runs, so that another host continues from it if this one is lost. */
export type Checkpoints = {
  /**
   * To be awaited before tools run: none is made meanwhile. Every process that a command leaves is killed when it ends, and git would be one.
   */
  rest: () => Promise<void>
  /** Tools have run: files may have changed. */
  worked: () => void
  /** Ends it at once: the turn saves its work itself. */
  close: () => Promise<void>
}

/** Between two checkpoints. */
const EVERY_MS = 10_000
/** So many times as long as the last one took, at most so long: a large repository is not read all the time. */
const PAUSE_FACTOR = 2
const SLOW_PAUSE_MS = 30_000
/** Between two that failed, at most: 10, 20, 40… s. */
const MOST_DOUBLINGS = 5
/** Tools wait this long for one that is being made. */
const REST_MS = 2_000

type Parts = {
  hands: Hands
  door: Pick<Door, 'storeTail'>
  voice: Pick<Voice, 'emit'>
  workspace: Workspace
  log: Log
  everyMs?: number
}

export function openCheckpoints(parts: Parts): Checkpoints {
  const { log, everyMs = EVERY_MS } = parts
  const closed = new AbortController()
  let hasWorked = false
  let isResting = false
  let failures = 0
  let work: Promise<void> | null = null
  const { take, settle } = createTake(parts, closed.signal)

  const run = async () => {
    while (hasWorked && !isResting && !closed.signal.aborted) {
      hasWorked = false
      const begun = performance.now()
      const isDone = await take().catch((error: unknown) => {
        // A command may have removed the repository, or the hands were killed.
        if (!closed.signal.aborted && !isResting) log('checkpoint.failed', { message: String(error) })
        return false
      })
      failures = isDone || isResting ? 0 : failures + 1
      hasWorked ||= !isDone
      const patience = everyMs * 2 ** Math.min(Math.max(0, failures - 1), MOST_DOUBLINGS)
      await pause(Math.max(patience, Math.min(SLOW_PAUSE_MS, PAUSE_FACTOR * (performance.now() - begun))), closed.signal)
    }
    work = null
  }

  return {
    rest: async () => {
      isResting = true
      await settle()
    },
    worked: () => {
      hasWorked = true
      isResting = false
      if (!closed.signal.aborted) work ??= run()
    },
    close: async () => {
      closed.abort()
      await work
    },
  }
}

/**
 * @returns `take` makes and brings one checkpoint: false when it should be tried again although nothing more changes. `settle` waits until
 *   none is being made, and ends one that takes long.
 */
function createTake({ hands, door, voice, workspace, log }: Parts, signal: AbortSignal) {
  let stored: string | null = null
  let isTooLarge = false
  let making: { done: Promise<unknown>; giveUp: AbortController } | null = null
  const make = async () => {
    const giveUp = new AbortController()
    const either = AbortSignal.any([signal, giveUp.signal])
    const done = hands.call('makeCheckpoint', { workspace, unless: stored }, { signal: either })
    making = { done: done.catch(() => undefined), giveUp }
    try {
      return await done
    } finally {
      making = null
    }
  }
  const settle = async () => {
    if (!making) return
    const { done, giveUp } = making
    const timer = setTimeout(() => giveUp.abort(), REST_MS)
    await done
    clearTimeout(timer)
  }
  const take = async () => {
    const made = await make()
    if (made === null || signal.aborted) return true
    const { key, commit, bytes } = made
    if (bytes > LIMITS.checkpointBytes) {
      if (!isTooLarge) voice.emit({ type: 'note.written', data: { text: tooLarge(bytes) } })
      isTooLarge = true
      return true
    }
    const bundle = await readPieces(hands, 'checkpoint', LIMITS.checkpointBytes)
    const how = await door.storeTail('checkpoint', bundle, null, signal)
    log('checkpoint.brought', { commit, bytes, how })
    if (how !== 'stored') return false
    stored = key
    voice.emit({ type: 'checkpoint.saved', data: { commit } })
    return true
  }
  return { take, settle }
}

function tooLarge(bytes: number): string {
  const [mb, most] = [bytes, LIMITS.checkpointBytes].map((one) => Math.ceil(one / 1024 / 1024))
  return `The changes of this turn have ${mb} MB, and at most ${most} MB are kept elsewhere while it runs. If its machine is lost before the turn ends, the newest of them are lost with it.`
}

/**
 * Brings the work tree of a lost host into this one, which was just cloned.
 * @returns null when there is none
 */
export async function restoreLost(
  { hands, door, log }: { hands: Hands; door: Pick<Door, 'checkpoint'>; log: Log },
  workspace: Workspace,
): Promise<RestoredCheckpoint | null> {
  try {
    const bundle = await door.checkpoint()
    if (bundle === null) return null
    for (let from = 0; from < bundle.length; from += PIECE_BYTES)
      await hands.call('takeCheckpoint', { piece: bundle.subarray(from, from + PIECE_BYTES).toString('base64') })
    const restored = await hands.call('restoreCheckpoint', { workspace })
    log('checkpoint.restored', { bytes: bundle.length, ...restored })
    return restored
  } catch (error) {
    log('checkpoint.unavailable', { message: String(error) })
    return { ok: false, why: 'they did not arrive' }
  }
}

/** For the person. */
export function notRestoredNote(why: string): string {
  return `The machine that worked on this was lost, and its last changes could not be brought back: ${why}. The work goes on from the branch as it was pushed.`
}
