import { LIMITS } from '../../contract/api/limits.ts'
import type { ModelBlock, ModelMessage, ModelRequest } from '../model/model-client.ts'

/** A conversation as one turn leaves it for the next, which goes on from these very bytes. */
export type KeptTranscript = {
  version: 1
  /** The newest turn that is in it. */
  turn: number
  /** Where the branch stood when that turn began. */
  turnBase: string
  /** Where it stood on the git host when that turn was over, null when it was not there; absent while the turn lasts. */
  tip?: string | null
  model: string
  /** Ids of the messages that were put in beside the one that began its turn. */
  taken: string[]
  system: NonNullable<Exclude<ModelRequest['system'], string>>
  tools: NonNullable<ModelRequest['tools']>
  /** Empty: it became too long, and the next turn begins anew. */
  messages: ModelMessage[]
}

/** @returns null for what is none of ours, or was damaged on the way */
export function readKept(text: string): KeptTranscript | null {
  try {
    const kept = JSON.parse(text) as KeptTranscript
    const lists = [kept.system, kept.tools, kept.messages, kept.taken].every(Array.isArray)
    const texts = [kept.model, kept.turnBase].every((value) => typeof value === 'string')
    return kept.version === 1 && lists && texts && Number.isInteger(kept.turn) ? kept : null
  } catch {
    return null
  }
}

/** Bytes to keep; of a conversation that is too long, only that it was there. */
export function writeKept(kept: KeptTranscript): Buffer {
  const whole = Buffer.from(JSON.stringify(kept))
  return whole.length <= LIMITS.transcriptBytes ? whole : Buffer.from(JSON.stringify({ ...kept, messages: [] }))
}

const CUT = 'Interrupted: what came of this call is not known. Check whether it took effect before you run it again.'

/** Gives each call that a cut left without a result one that says so; the API takes no call without. */
export function repaired(messages: readonly ModelMessage[]): ModelMessage[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || typeof last.content === 'string') return [...messages]
  const results = last.content.flatMap((block): ModelBlock[] =>
    block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: CUT, is_error: true }] : [],
  )
  return results.length === 0 ? [...messages] : [...messages, { role: 'user', content: results }]
}
