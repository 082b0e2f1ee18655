import { createHash } from 'node:crypto'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Door } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import { pause } from '../process/waiting.ts'
import { journalLines } from './journal-text.ts'
import { type StoredTranscript, undeliveredAt, withoutMessages } from './stored-transcript.ts'

/**
 * Brings the conversation to the coordinator as it grows, so that another host continues it if this one is lost. Nothing waits for it: the
 * newest state follows after a moment, as the bytes that are new, and what could not be brought is in the next.
 */
export type Journal = {
  /** The conversation has changed. */
  update: (stored: StoredTranscript) => void
  /** Ends it at once, in the middle of an upload too: the turn stores its transcript itself. */
  close: () => Promise<void>
}

/** Between two uploads. A long conversation is copied whole on the coordinator's disk each time, and has longer pauses. */
const EVERY_MS = 2_000
const COPIED_BYTES_PER_MS = 4_096
/** Between two that were refused, at most. */
const MOST_PAUSE_MS = 60_000

type Parts = { door: Pick<Door, 'storeTail' | 'undelivered'>; log: Log; everyMs?: number }

export function openJournal({ door, log, everyMs = EVERY_MS }: Parts): Journal {
  const closed = new AbortController()
  let newest: StoredTranscript | null = null
  /** What the coordinator has. */
  let known: readonly string[] = []
  let refusals = 0
  let work: Promise<void> | null = null

  const bring = async (wanted: StoredTranscript): Promise<number> => {
    const lines = journalLines(withoutMessages(wanted, await undeliveredAt(door, log)))
    const bytes = bytesOf(lines)
    const first = firstChange(known, lines)
    // A longer one could not be continued; it becomes shorter when it begins anew.
    if (bytes > LIMITS.transcriptBytes || first === null) return bytes
    const kept = lines.slice(0, first)
    const behind = first === 0 ? null : { from: bytesOf(kept), hash: hashOf(kept) }
    const how = await door.storeTail('journal', Buffer.from(lines.slice(first).join('')), behind, closed.signal)
    if (how === 'stored') known = lines
    if (how === 'refused') known = []
    refusals = how === 'refused' ? refusals + 1 : 0
    if (how === 'refused') log('journal.refused', { bytes, from: behind?.from ?? 0 })
    if (how !== 'stored') newest ??= wanted
    return bytes
  }

  const run = async () => {
    while (newest && !closed.signal.aborted) {
      const wanted = newest
      newest = null
      const bytes = await bring(wanted).catch((error: unknown) => {
        log('journal.failed', { message: String(error) })
        return 0
      })
      // The first refusal only says that something else is stored; the whole follows.
      const patience = Math.min(MOST_PAUSE_MS, everyMs * 2 ** Math.max(0, refusals - 1))
      await pause(Math.max(patience, bytes / COPIED_BYTES_PER_MS), closed.signal)
    }
    work = null
  }

  return {
    update: (stored) => {
      newest = stored
      work ??= run()
    },
    close: async () => {
      closed.abort()
      await work
    },
  }
}

/** @returns the first line that is not as it is known; null if all are */
function firstChange(known: readonly string[], lines: readonly string[]): number | null {
  const at = lines.findIndex((line, index) => line !== known[index])
  return at >= 0 ? at : known.length === lines.length ? null : lines.length
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0)
}

function hashOf(lines: readonly string[]): string {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line)
  return hash.digest('hex')
}
