import type { ModelMessage } from '../model/model-client.ts'
import { readStored, type StoredTranscript } from './stored-transcript.ts'

/* A conversation in lines that only their end changes of as it grows: what every message shares, the messages, and what was taken. */

type Head = Omit<StoredTranscript, 'version' | 'messages' | 'taken' | 'declined'>
type Foot = Pick<StoredTranscript, 'taken' | 'declined'>

/** Pure. @returns the lines, each with its line end */
export function journalLines({ version: _, messages, taken, declined, ...head }: StoredTranscript): string[] {
  const foot: Foot = { taken, ...(declined && { declined }) }
  return [lineOf({ journal: 1, ...head }), ...messages.map(lineOfMessage), lineOf(foot)]
}

/** Pure. @returns null for a text that is no journal, or not a whole one */
export function readJournal(text: string): StoredTranscript | null {
  if (!text.startsWith('{"journal":1,') || !text.endsWith('\n')) return null
  try {
    const [first = '', ...lines] = text.slice(0, -1).split('\n')
    const { journal: _, ...head } = JSON.parse(first) as Head & { journal: 1 }
    const foot = JSON.parse(lines.pop() ?? '') as Foot
    const messages = lines.map((line) => JSON.parse(line) as ModelMessage)
    return readStored(JSON.stringify({ version: 1, ...head, ...foot, messages }))
  } catch {
    return null
  }
}

/** A message never changes, and is written once. */
function lineOfMessage(message: ModelMessage): string {
  const known = LINES.get(message)
  if (known !== undefined) return known
  const line = lineOf(message)
  LINES.set(message, line)
  return line
}
const LINES = new WeakMap<ModelMessage, string>()

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}
