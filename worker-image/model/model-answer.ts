import { parseJson } from '../../contract/shared/json.ts'
import type { ApiUsage } from '../../contract/shared/models.ts'
import type { ModelBlock, ModelEvent } from './model-client.ts'
import { CutError, GarbledError } from './model-errors.ts'

export type ToolCall = {
  id: string
  name: string
  input: unknown
  /** Why it must not be run: its input was cut off, or is no JSON. Null for a good one. */
  problem: string | null
}

/** One whole answer of the model. */
export type Answer = {
  /** To be sent back exactly like this. */
  content: ModelBlock[]
  text: string
  calls: ToolCall[]
  stopReason: string
  /** What the API says about a refusal. */
  stopDetails: string | null
  usage: ApiUsage
}

export type AnswerReader = {
  add: (event: ModelEvent) => void
  /** @throws CutError when the stream ended before its end, GarbledError when it was none of the API's */
  finish: () => Answer
  /** What a call that broke off is charged with: what it said of its prompt, and for its output at least what arrived. */
  estimate: () => ApiUsage | null
}

type Part = { start: Record<string, unknown>; text: string; json: string; signature: string; closed: boolean }

/**
 * Puts an answer together from its events. Unlike the SDK's helper it takes nothing for granted: a stream without its end is no answer,
 * and a tool's input that is no whole JSON is never taken for one (a lenient parser makes a valid-looking half of it).
 */
export function createAnswerReader(onText: (text: string) => void): AnswerReader {
  const parts = new Map<number, Part>()
  let usage: ApiUsage | null = null
  let stopReason: string | null = null
  let stopDetails: string | null = null
  let ended = false
  let written = 0

  const partAt = (index: number): Part => {
    const part = parts.get(index)
    if (!part || part.closed) throw new GarbledError(`an event of the model API names content block ${index}, which is not open`)
    return part
  }

  const add = (event: ModelEvent): void => {
    switch (event.type) {
      case 'message_start':
        if (usage) throw new GarbledError('the model API began its answer twice')
        usage = { ...event.message.usage }
        return
      case 'content_block_start':
        if (parts.has(event.index)) throw new GarbledError(`the model API began content block ${event.index} twice`)
        parts.set(event.index, { start: { ...event.content_block }, text: '', json: '', signature: '', closed: false })
        // Blocks of text are one text for the reader.
        if (event.content_block.type === 'text' && textOf(parts) !== '') onText('\n\n')
        return
      case 'content_block_delta':
        addDelta(partAt(event.index), event.delta)
        return
      case 'content_block_stop':
        partAt(event.index).closed = true
        return
      case 'message_delta':
        stopReason = event.delta.stop_reason
        stopDetails = event.delta.stop_details ? JSON.stringify(event.delta.stop_details) : null
        // Cumulative: what is given takes the place of what was, and null says nothing.
        usage = { ...usage, ...Object.fromEntries(Object.entries(event.usage).filter(([, value]) => value !== null)) }
        return
      case 'message_stop':
        ended = true
        return
      default:
      // Event types that are added later are not for us (docs.claude.com, "Versioning").
    }
  }

  const addDelta = (part: Part, delta: Extract<ModelEvent, { type: 'content_block_delta' }>['delta']): void => {
    if (delta.type === 'text_delta') {
      part.text += delta.text
      written += delta.text.length
      onText(delta.text)
    } else if (delta.type === 'thinking_delta') {
      part.text += delta.thinking
      written += delta.thinking.length
    } else if (delta.type === 'input_json_delta') {
      part.json += delta.partial_json
      written += delta.partial_json.length
    } else if (delta.type === 'signature_delta') part.signature = delta.signature
  }

  return {
    add,
    estimate: () => usage && { ...usage, output_tokens: Math.max(usage.output_tokens ?? 0, Math.ceil(written / 4)) },
    finish: () => {
      if (!usage) throw new GarbledError('the answer of the model API has no beginning')
      if (!ended) throw new CutError('the answer of the model API broke off before its end')
      const ordered = [...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part)
      const calls = ordered.filter(({ start }) => start.type === 'tool_use').map(callOf)
      return {
        content: ordered.flatMap((part) => blockOf(part, calls)),
        text: textOf(parts),
        calls,
        stopReason: stopReason ?? 'none',
        stopDetails,
        usage,
      }
    },
  }
}

function textOf(parts: ReadonlyMap<number, Part>): string {
  return [...parts.values()].flatMap(({ start, text }) => (start.type === 'text' && text !== '' ? [text] : [])).join('\n\n')
}

function callOf({ start, json, closed }: Part): ToolCall {
  const call = { id: String(start.id), name: String(start.name) }
  const parsed = json.trim() === '' ? (start.input ?? {}) : parseJson(json)
  if (parsed !== undefined && closed) return { ...call, input: parsed, problem: null }
  // The block must go back into the conversation with an object as its input.
  const input = { unreadable: json.slice(0, 2000) }
  return { ...call, input, problem: closed ? 'its input is not valid JSON' : 'the output was cut off in the middle of it' }
}

/** The block as it came; fields that say null are left out, and so is a text that is empty, which the API does not take back. */
function blockOf({ start, text, signature }: Part, calls: readonly ToolCall[]): ModelBlock[] {
  const given = Object.fromEntries(Object.entries(start).filter(([, value]) => value !== null))
  const call = calls.find(({ id }) => id === start.id)
  if (start.type === 'text') return text === '' ? [] : [{ ...given, type: 'text', text }]
  if (start.type === 'thinking') return [{ ...given, type: 'thinking', thinking: text, signature }]
  if (start.type === 'tool_use' && call) return [{ ...given, type: 'tool_use', id: call.id, name: call.name, input: call.input }]
  return [given as unknown as ModelBlock]
}
