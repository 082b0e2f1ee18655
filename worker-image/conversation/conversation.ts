import { MODELS } from '../../contract/shared/models.ts'
import type { Assignment, SteerMessage } from '../../contract/wire/sandbox.ts'
import type { Door } from '../door/door.ts'
import type { ModelBlock } from '../model/model-client.ts'
import type { Log } from '../process/log.ts'
import type { Tools } from '../tools/index.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { firstMessage, NOTICES, nextMessage, SYSTEM, steerMessage } from './prompt.ts'
import { readStored, type StoredTranscript, writeToDisk } from './stored-transcript.ts'
import { createTranscript, type Transcript } from './transcript.ts'

/** What the model is told and what it answered; each addition is on disk when it returns. */
export type Conversation = Pick<Transcript, 'request' | 'size' | 'stripThinking'> & {
  addAssistant: (content: readonly ModelBlock[]) => Promise<void>
  /** One user message: results of tools, messages of the person, notices of ours, in this order. */
  addUser: (message: {
    results: readonly ModelBlock[]
    steer?: readonly SteerMessage[]
    notices?: readonly string[]
  }) => Promise<void>
  /** Whether a message of the person is in it already. */
  has: (messageId: string) => boolean
}

/** What an earlier turn, or an earlier attempt of this one, left; `lost` when there should be a transcript and it cannot be read. */
export type Earlier = { stored: StoredTranscript | null; lost: boolean }

export async function readEarlier(door: Pick<Door, 'transcript'>, assignment: Assignment, log: Log): Promise<Earlier> {
  if (!assignment.hasTranscript) return { stored: null, lost: false }
  const text = await door.transcript()
  const stored = text === null ? null : readStored(text)
  const usable = stored !== null && stored.messages.length > 0 && stored.turn <= assignment.turn
  if (!usable) log('transcript.unusable', { bytes: text?.length ?? 0, turn: stored?.turn ?? null })
  return usable ? { stored, lost: false } : { stored: null, lost: true }
}

type ConversationOptions = {
  assignment: Assignment
  earlier: Earlier
  workspace: Workspace
  directory: string
  scratch: string
  /** What the repository tells agents; null when it tells nothing. */
  notes: string | null
  tools: Tools['definitions']
  log: Log
}

/**
 * Opens the conversation that the model goes on with. Everything in it stays as it is, system text and tools too. The turn's own words come
 * after it, once: an earlier attempt of this turn may have added them already.
 */
export async function openConversation(options: ConversationOptions): Promise<Conversation> {
  const { assignment, earlier, workspace, scratch, log } = options
  const { model, turn } = assignment
  const transcript = createTranscript({
    model,
    effort: MODELS[model]?.effort ?? 'medium',
    system: SYSTEM,
    tools: options.tools,
    before: earlier.stored,
    first: beginningOf(options),
  })
  const taken = new Set(earlier.stored?.taken)
  const save = () => {
    const { turnBase } = workspace
    return writeToDisk(scratch, { version: 1, turn, turnBase, taken: [...taken], ...transcript.parts() }, log)
  }
  await save()
  return {
    request: transcript.request,
    size: transcript.size,
    stripThinking: transcript.stripThinking,
    has: (messageId) => taken.has(messageId),
    addAssistant: async (content) => {
      transcript.addAssistant(content)
      await save()
    },
    addUser: async ({ results, steer = [], notices = [] }) => {
      for (const { messageId } of steer) taken.add(messageId)
      transcript.addUser([...results, ...textBlocks(steer.map(({ text }) => steerMessage(text))), ...textBlocks(notices)])
      await save()
    },
  }
}

function beginningOf({ assignment, earlier, workspace, directory, notes }: ConversationOptions): string[] {
  const { stored, lost } = earlier
  const place = { ...workspace, directory }
  if (!stored) return [...firstMessage(assignment, place, notes), ...(lost ? [NOTICES.beginsAnew] : [])]
  if (stored.turn === assignment.turn) return [NOTICES.goesOn(place)]
  const moved = stored.tip !== undefined && stored.tip !== workspace.remoteCommit
  return [...nextMessage(assignment, place), ...(moved ? [NOTICES.branchMoved] : [])]
}

function textBlocks(texts: readonly string[]): ModelBlock[] {
  return texts.map((text) => ({ type: 'text', text }))
}
