import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Door } from '../door/door.ts'
import type { End } from '../process/end.ts'
import type { Log } from '../process/log.ts'
import { type KeptTranscript, readKept, writeKept } from './kept-transcript.ts'
import type { Transcript } from './transcript.ts'

/** The conversation on the sandbox's own disk, whole at every moment, so that it outlives the agent's process. */
export type Journal = {
  /** Never throws: the turn can go on without, as long as its agent lives. */
  save: () => Promise<void>
}

function journalFile(scratch: string): string {
  return join(scratch, 'transcript.json')
}

/** @param of what stays the same through the turn; `taken` grows while it lasts */
export function createJournal(
  scratch: string,
  transcript: Transcript,
  of: { turn: number; turnBase: string; taken: ReadonlySet<string> },
  log: Log,
): Journal {
  const file = journalFile(scratch)
  const kept = (): KeptTranscript => ({ version: 1, ...of, taken: [...of.taken], ...transcript.parts() })
  return {
    save: async () => {
      try {
        await mkdir(scratch, { recursive: true })
        await writeFile(`${file}.part`, writeKept(kept()))
        await rename(`${file}.part`, file)
      } catch (error) {
        log('journal.failed', { message: String(error) })
      }
    },
  }
}

/**
 * Brings the conversation out of the sandbox for the next turn. One that no model can read any more is left behind, and the next turn
 * begins anew. Never throws: the work itself is on the branch.
 * @param parts.tip where the branch stands on the git host now
 */
export async function keepJournal(parts: {
  door: Pick<Door, 'keep'>
  scratch: string
  end: Pick<End, 'reason'>
  tip: string | null
  log: Log
}): Promise<void> {
  const { door, scratch, end, tip, log } = parts
  try {
    const text = await readIfThere(journalFile(scratch))
    // The turn ended before its conversation began.
    if (text === null) return
    const kept = readKept(text)
    if (!kept) throw new Error('it cannot be read')
    await door.keep('transcript', writeKept({ ...kept, tip, ...(end.reason === 'context_exceeded' ? { messages: [] } : {}) }))
  } catch (error) {
    log('transcript.lost', { message: String(error) })
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
