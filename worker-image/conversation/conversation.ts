import { MODELS } from '../../contract/shared/models.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { Door } from '../door/door.ts'
import type { Log } from '../process/log.ts'
import type { Tools } from '../tools/index.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { createJournal, type Journal } from './journal.ts'
import { type KeptTranscript, readKept } from './kept-transcript.ts'
import { firstMessage, NOTICES, nextMessage, SYSTEM } from './prompt.ts'
import { createTranscript, type Transcript } from './transcript.ts'

export type Conversation = {
  transcript: Transcript
  /** Ids of the messages that are in it. */
  taken: Set<string>
  journal: Journal
}

/** What an earlier turn, or an earlier attempt of this one, left; `lost` when there should be one and it cannot be read. */
export type Earlier = { kept: KeptTranscript | null; lost: boolean }

export async function readEarlier(door: Pick<Door, 'transcript'>, assignment: Assignment, log: Log): Promise<Earlier> {
  if (!assignment.hasTranscript) return { kept: null, lost: false }
  const text = await door.transcript()
  const kept = text === null ? null : readKept(text)
  const usable = kept !== null && kept.messages.length > 0 && kept.turn <= assignment.turn
  if (!usable) log('transcript.unusable', { bytes: text?.length ?? 0, turn: kept?.turn ?? null })
  return usable ? { kept, lost: false } : { kept: null, lost: true }
}

/**
 * The conversation that the model goes on with. What was there stays as it is, system text and tools too; the turn's own words come after
 * it, once: an attempt before this one may have put them in already.
 */
export function openConversation(options: {
  assignment: Assignment
  earlier: Earlier
  workspace: Workspace
  directory: string
  scratch: string
  notes: string | null
  tools: Tools['definitions']
  log: Log
}): Conversation {
  const { assignment, earlier, workspace, notes } = options
  const { kept, lost } = earlier
  const { model, turn } = assignment
  const place = { ...workspace, directory: options.directory }
  const words = () => {
    if (!kept) return [...firstMessage(assignment, place, notes), ...(lost ? [NOTICES.beginsAnew] : [])]
    if (kept.turn === turn) return [NOTICES.goesOn(place)]
    const moved = kept.tip !== undefined && kept.tip !== workspace.remoteCommit
    return [...nextMessage(assignment, place), ...(moved ? [NOTICES.branchMoved] : [])]
  }
  const transcript = createTranscript({
    model,
    effort: MODELS[model]?.effort ?? 'medium',
    system: SYSTEM,
    tools: options.tools,
    before: kept,
    first: words(),
  })
  const taken = new Set(kept?.taken)
  const of = { turn, turnBase: workspace.turnBase, taken }
  return { transcript, taken, journal: createJournal(options.scratch, transcript, of, options.log) }
}
