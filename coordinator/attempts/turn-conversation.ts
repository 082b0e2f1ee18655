import { createHash } from 'node:crypto'
import { wellFormed } from '../../contract/shared/characters.ts'
import { MISSED } from '../../contract/wire/prompt.ts'
import { CONVERSATION } from '../../contract/wire/sandbox.ts'
import { newestOf } from '../store/artifacts.ts'
import { findAttempt } from '../store/attempts.ts'
import { type InboxRow, listMessages } from '../store/inbox.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { TaskRow } from '../store/tasks.ts'

/** The part of the conversation that a lease carries. The agent reads the transcript itself. */
export type Conversation = {
  prompt: string
  hasTranscript: boolean
  hasCheckpoint: boolean
  said?: string[]
  messages: { messageId: string; text: string }[]
}

/** With more, the hashes would weigh more than they are worth, and the conversation is taken as it was kept. */
const MOST_SAID = 5_000

/**
 * The prompt that starts the turn, and the messages sent to it since. It includes messages that an earlier attempt of the turn took,
 * because they may have died with its sandbox. An agent skips a message that is already in its transcript.
 */
export async function conversationOf(db: Store, task: TaskRow): Promise<Conversation> {
  const all = await listMessages(db, task.id)
  const transcript = await newestOf(db, task.id, CONVERSATION)
  const transcriptTurn = transcript === null ? 0 : ((await findAttempt(db, task.id, transcript.attempt))?.turn ?? 0)
  const prompt = all.find(({ id }) => id === task.message_id)?.text ?? task.prompt
  return {
    prompt: withMissed(prompt, missedBetween(all, transcriptTurn, task.turn)),
    hasTranscript: transcript !== null,
    hasCheckpoint: (await newestOf(db, task.id, ['checkpoint'], task.turn)) !== null,
    ...(all.length < MOST_SAID && { said: hashesOf([task.prompt, ...all.map(({ text }) => text)]) }),
    messages: all.filter((row) => isForTurn(row, task)).map(({ id, text }) => ({ messageId: id, text })),
  }
}

function hashesOf(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => createHash('sha256').update(wellFormed(text)).digest('hex')))]
}

/** Whether this message waits for the running turn: the word that announced it may have been lost. */
export function isWaitingSteer({ state, mode }: InboxRow): boolean {
  return state === 'waiting' && mode === 'steer'
}

function isForTurn(row: InboxRow, task: TaskRow): boolean {
  return isWaitingSteer(row) || (row.state === 'delivered' && row.turn === task.turn && row.id !== task.message_id)
}

/** The messages of turns that left no transcript because their sandbox was lost. The messages must not be lost with it. */
function missedBetween(all: readonly InboxRow[], afterTurn: number, turn: number): InboxRow[] {
  return all
    .filter((row) => row.state === 'delivered' && row.turn !== null && row.turn > afterTurn && row.turn < turn)
    .toSorted((a, b) => (a.turn ?? 0) - (b.turn ?? 0) || a.seq - b.seq)
}

function withMissed(prompt: string, missed: readonly InboxRow[]): string {
  return missed.length === 0 ? prompt : [prompt, MISSED, ...missed.map(({ text }, index) => `${index + 1}. ${text}`)].join('\n\n')
}
