import { MODELS } from '../../contract/shared/models.ts'
import type { Assignment, SteerMessage } from '../../contract/wire/sandbox.ts'
import type { RestoredCheckpoint } from '../checkpoint/state.ts'
import type { Door } from '../door/door.ts'
import type { Answer } from '../model/model-answer.ts'
import type { ModelBlock, ModelMessage } from '../model/model-client.ts'
import type { Log } from '../process/log.ts'
import type { Tools } from '../tools/index.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { type Beginning, beginAnew, hasOnlyTrueWords, unansweredNotices, wordsIn } from './begin-anew.ts'
import { DECLINED, withoutExchange } from './declined.ts'
import type { Journal } from './journal.ts'
import { readJournal } from './journal-text.ts'
import { lastMachineText, machineText } from './machine.ts'
import { createMender, type Mender } from './mender.ts'
import { firstMessage, hostLost, NOTICES, nextMessage, SYSTEM, steerMessage } from './prompt.ts'
import { readStored, type StoredTranscript, writeToDisk } from './stored-transcript.ts'
import { createTranscript, type Transcript } from './transcript.ts'

/** The conversation with the model. Every addition is on disk when the call returns. */
export type Conversation = Pick<Transcript, 'request' | 'size'> &
  Mender & {
    messages: () => readonly ModelMessage[]
    /** Replaces everything so far by a fresh conversation that keeps the person's words and our unanswered notices. */
    beginAnew: (known: Pick<Beginning, 'why' | 'summary' | 'branchState' | 'plan'>) => Promise<void>
    /** @returns the answer as it is in the conversation now, its calls under ids of their own */
    addAnswer: (answer: Answer) => Promise<Answer>
    /** As the transcript's. */
    shortenResults: () => Promise<boolean>
    /** Adds one user message: results of tools, messages of the person, and our own notices, in this order. */
    addUser: (message: {
      results: readonly ModelBlock[]
      steer?: readonly SteerMessage[]
      notices?: readonly string[]
    }) => Promise<void>
    /**
     * Takes out what the model declined to answer. If that was the first call of the turn, the earlier turns may be the cause, and the turn's
     * own message stands in a fresh conversation: true, once.
     */
    declined: () => Promise<boolean>
    /** Whether it already has this message of the person. */
    has: (messageId: string) => boolean
  }

/**
 * The transcript of an earlier turn, or of an earlier attempt at this one. `lost`: there should be one, but it cannot be used; `untrue`:
 * because it has words in the person's name that they never said.
 */
export type Earlier = {
  stored: StoredTranscript | null
  lost: boolean
  untrue?: boolean
  /** Its host was lost in the middle of the turn: it is as far as it left the host. */
  cut?: boolean
  /** What came of the work tree of that host; null: nothing of it had left the host. */
  restored?: RestoredCheckpoint | null
}

export async function readEarlier(door: Pick<Door, 'transcript'>, assignment: Assignment, log: Log): Promise<Earlier> {
  if (!assignment.hasTranscript) return { stored: null, lost: false }
  const text = await door.transcript()
  const journal = text === null ? null : readJournal(text)
  const stored = text === null ? null : (journal ?? readStored(text))
  const usable = stored !== null && (stored.messages.length > 0 || stored.declined) && stored.turn <= assignment.turn
  if (!usable) log('transcript.unusable', { bytes: text?.length ?? 0, turn: stored?.turn ?? null })
  if (usable && assignment.said && !hasOnlyTrueWords(stored.messages, assignment.said)) {
    log('transcript.untrue', { turn: stored.turn })
    return { stored: null, lost: true, untrue: true }
  }
  return usable ? { stored, lost: false, cut: journal !== null } : { stored: null, lost: true }
}

type ConversationOptions = {
  assignment: Assignment
  earlier: Earlier
  workspace: Workspace
  directory: string
  home: string
  /** The repository's notes for agents; null if it has none. */
  notes: string | null
  tools: Tools['definitions']
  /** Hears of each change. */
  journal: Pick<Journal, 'update'>
  log: Log
}

/**
 * Opens the conversation that the model continues. Everything in it stays unchanged, including system text and tools. The turn's own text
 * is added at the end, unless an earlier attempt at this turn has already added it.
 */
export async function openConversation(options: ConversationOptions): Promise<Conversation> {
  const { assignment, earlier, workspace, home, log } = options
  const { model, turn } = assignment
  const transcript = createTranscript({
    model,
    effort: assignment.effort ?? MODELS[model]?.effort ?? 'medium',
    system: SYSTEM,
    tools: options.tools,
    before: earlier.stored,
    first: beginningOf(options),
  })
  const taken = new Set(earlier.stored?.taken)
  /** Whether the earlier turns may still be the cause when the model declines. */
  let isUntried = transcript.parts().messages.length > 1
  const save = () => {
    const { turnBase } = workspace
    const parts = transcript.parts()
    const declined = parts.messages.length === 0 ? { declined: true } : {}
    const stored = { version: 1 as const, turn, turnBase, taken: [...taken], ...parts, ...declined }
    options.journal.update(stored)
    return writeToDisk(home, stored, log)
  }
  await save()
  return {
    request: transcript.request,
    size: transcript.size,
    ...createMender(transcript),
    messages: () => transcript.parts().messages,
    beginAnew: async (known) => {
      const { messages } = transcript.parts()
      const notices = unansweredNotices(messages).filter((text) => text !== NOTICES.summarySoon)
      transcript.beginAnew(beginAnew({ ...known, words: wordsIn(messages), surroundings: surroundingsOf(options), notices }))
      await save()
    },
    declined: async () => {
      const isAgain = isUntried
      isUntried = false
      leaveOutDeclined(transcript, isAgain, options)
      await save()
      return isAgain
    },
    has: (messageId) => taken.has(messageId),
    shortenResults: async () => {
      const isShorter = transcript.shortenResults()
      if (isShorter) await save()
      return isShorter
    },
    addAnswer: async (answer) => {
      isUntried = false
      const added = transcript.addAnswer(answer)
      await save()
      return added
    },
    addUser: async ({ results, steer = [], notices = [] }) => {
      for (const { messageId } of steer) taken.add(messageId)
      transcript.addUser([...results, ...textBlocks(steer.map(({ text }) => steerMessage(text))), ...textBlocks(notices)])
      await save()
    },
  }
}

function leaveOutDeclined(transcript: Transcript, isAgain: boolean, options: ConversationOptions): void {
  const { messages } = transcript.parts()
  const rest = withoutExchange(messages)
  if (isAgain) transcript.beginAnew([...firstMessage(options.assignment, placeOf(options), options.notes), DECLINED.history])
  else transcript.rewrite(rest)
  if (!isAgain && rest.length > 0) transcript.addUser(textBlocks([DECLINED.exchange]))
}

function beginningOf(options: ConversationOptions): string[] {
  const { assignment, earlier, workspace, notes } = options
  const { stored, lost } = earlier
  const place = placeOf(options)
  if (!stored) return [...firstMessage(assignment, place, notes), ...(lost ? [NOTICES.beginsAnew] : [])]
  if (stored.declined) return [...firstMessage(assignment, place, null), DECLINED.beginning]
  const machine = machineText(assignment)
  const isNews = machine !== null && machine !== lastMachineText(stored.messages)
  const news = isNews ? [machine] : []
  const handed = stored.handover ? [NOTICES.handedOver(stored.handover)] : []
  if (stored.turn === assignment.turn)
    return [earlier.cut ? hostLost(place, earlier.restored ?? null) : NOTICES.goesOn(place), ...news, ...handed]
  const moved = stored.tip !== undefined && stored.tip !== workspace.remoteCommit
  return [
    ...nextMessage(assignment, place),
    ...news,
    ...(earlier.cut ? [NOTICES.turnLost] : moved ? [NOTICES.branchMoved] : []),
    ...handed,
  ]
}

function surroundingsOf(options: ConversationOptions): string[] {
  // The task itself comes from the conversation: a later turn's assignment has only its own message.
  return firstMessage(options.assignment, placeOf(options), options.notes).slice(1)
}

function placeOf({ workspace, directory }: Pick<ConversationOptions, 'workspace' | 'directory'>) {
  return { ...workspace, directory }
}

function textBlocks(texts: readonly string[]): ModelBlock[] {
  return texts.map((text) => ({ type: 'text', text }))
}
