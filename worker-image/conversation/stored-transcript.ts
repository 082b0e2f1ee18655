import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../../contract/api/limits.ts'
import type { End } from '../../contract/wire/end.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import type { Door } from '../door/door.ts'
import type { ModelMessage, ModelRequest } from '../model/model-client.ts'
import type { Log } from '../process/log.ts'
import { steerMessage } from './prompt.ts'

/** A conversation as one turn stores it for the next, which continues from exactly these bytes. */
export type StoredTranscript = {
  version: 1
  /** The newest turn that is in it. */
  turn: number
  /** The branch's commit when that turn began. */
  turnBase: string
  /** The branch's commit on the git host when that turn ended; null if the branch was not there, absent during the turn. */
  tip?: string | null
  /** What the person was told when that turn was handed over; the model did not hear it. */
  handover?: string | null
  model: string
  /** Ids of the messages in it, except those that started a turn. */
  taken: string[]
  system: NonNullable<Exclude<ModelRequest['system'], string>>
  tools: NonNullable<ModelRequest['tools']>
  /** Empty if they were too long; the next turn then starts a new conversation. */
  messages: ModelMessage[]
  /** There are none because the model declined to answer the only message that there was. */
  declined?: boolean
}

/** @returns null for a text that is not ours or is damaged */
export function readStored(text: string): StoredTranscript | null {
  try {
    const stored = JSON.parse(text) as StoredTranscript
    const lists = [stored.system, stored.tools, stored.messages, stored.taken].every(Array.isArray)
    const texts = [stored.model, stored.turnBase].every((value) => typeof value === 'string')
    return stored.version === 1 && lists && texts && Number.isInteger(stored.turn) ? stored : null
  } catch {
    return null
  }
}

/** @returns the bytes to store; a conversation that is too long is stored without its messages */
function bytesOf(stored: StoredTranscript): Buffer {
  const whole = Buffer.from(JSON.stringify(stored))
  return whole.length <= LIMITS.transcriptBytes ? whole : Buffer.from(JSON.stringify({ ...stored, messages: [] }))
}

function fileIn(home: string): string {
  return join(home, 'transcript.json')
}

/**
 * Saves the conversation in the agent's own folder, complete at every moment, so that it outlives the agent's process. Never throws: while that
 * process lives, the turn does not need the file.
 */
export async function writeToDisk(home: string, stored: StoredTranscript, log: Log): Promise<void> {
  try {
    await mkdir(home, { recursive: true })
    await writeFile(`${fileIn(home)}.part`, bytesOf(stored), { mode: 0o600 })
    await rename(`${fileIn(home)}.part`, fileIn(home))
  } catch (error) {
    log('journal.failed', { message: String(error) })
  }
}

/**
 * Stores the conversation for the next turn, without the messages of the person that never reached the model: those begin the next turn. If
 * it became too long for the model, it is dropped, and the next turn starts a new one. Never throws: the work itself is on the branch.
 * @param parts.tip the branch's commit on the git host
 */
export async function storeConversation(parts: {
  door: Pick<Door, 'store' | 'undelivered'>
  home: string
  end: Pick<End, 'reason'>
  tip: string | null
  /** What the person was told beside the model's words. */
  handover: string | null
  log: Log
}): Promise<void> {
  const { door, home, end, tip, handover, log } = parts
  try {
    const text = await readIfThere(fileIn(home))
    // The turn ended before its conversation began.
    if (text === null) return
    const written = readStored(text)
    if (!written) throw new Error('it cannot be read')
    const stored = withoutMessages(written, await undeliveredAt(door, log))
    await door.store(
      'transcript',
      bytesOf({ ...stored, tip, handover, ...(end.reason === 'context_exceeded' ? { messages: [] } : {}) }),
    )
  } catch (error) {
    log('transcript.lost', { message: String(error) })
  }
}

/** @returns the messages that the agent was given and the model has not got; none when the door does not say */
export async function undeliveredAt(door: Pick<Door, 'undelivered'>, log: Log): Promise<SteerMessage[]> {
  try {
    return await door.undelivered()
  } catch (error) {
    // Then the model may read such a message twice, which is better than not at all.
    log('inbox.unavailable', { message: String(error) })
    return []
  }
}

/** Pure. Takes messages out again that the conversation got after the last answer. The model never saw them, so no byte that it knows changes. */
export function withoutMessages(stored: StoredTranscript, messages: readonly SteerMessage[]): StoredTranscript {
  const last = stored.messages.at(-1)
  const gone = messages.filter(({ messageId }) => stored.taken.includes(messageId))
  if (gone.length === 0 || last?.role !== 'user' || typeof last.content === 'string') return stored
  const texts = gone.map(({ text }) => steerMessage(text))
  const content = last.content.filter((block) => {
    const at = block.type === 'text' ? texts.indexOf(block.text) : -1
    if (at >= 0) texts.splice(at, 1)
    return at < 0
  })
  return {
    ...stored,
    taken: stored.taken.filter((id) => !gone.some(({ messageId }) => messageId === id)),
    messages: [...stored.messages.slice(0, -1), ...(content.length > 0 ? [{ ...last, content }] : [])],
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
