import { cutText, wellFormed } from '../../contract/shared/characters.ts'
import { parseJson } from '../../contract/shared/json.ts'
import { ApiUsage, WRITTEN_BYTES_PER_TOKEN } from '../../contract/shared/models.ts'
import { checkShape } from './event-shape.ts'
import type { ModelBlock, ModelEvent } from './model-client.ts'
import { CutError, GarbledError } from './model-errors.ts'

export type ToolCall = {
  id: string
  name: string
  input: unknown
  /** Why it must not be run: its input was cut off or is not JSON. Null if it may run. */
  problem: string | null
}

/** One whole answer of the model. */
export type Answer = {
  /** In the order in which the model wrote it; `sendable` leaves out what the API would not accept back. */
  content: ModelBlock[]
  text: string
  calls: ToolCall[]
  stopReason: string
  /** How the API explains a refusal. */
  stopDetails: string | null
  usage: ApiUsage
}

export type AnswerReader = {
  add: (event: ModelEvent) => void
  /** @throws CutError when the stream ended before the answer did, GarbledError when it is not one of the API's */
  finish: () => Answer
  /** The charge for a call that broke off: its prompt as the API counted it, and at least the output that arrived. */
  estimate: () => ApiUsage | null
  /** The text that has arrived, as the person has read it. */
  text: () => string
}

/**
 * Puts an answer together from its events. Unlike the SDK's helper it takes nothing for granted: a stream without its end is no answer,
 * and half of a tool's input is never taken for the whole, which a lenient JSON parser would do.
 */
export function createAnswerReader(onText: (text: string) => void): AnswerReader {
  const draft: Draft = { parts: new Map(), usage: null, stopReason: null, stopDetails: null, ended: false, written: 0 }
  return {
    add: (event) => addEvent(draft, event, onText),
    estimate: () => {
      const { usage, written } = draft
      return (
        usage && { ...usage, output_tokens: Math.max(usage.output_tokens ?? 0, Math.ceil(written / WRITTEN_BYTES_PER_TOKEN)) }
      )
    },
    finish: () => answerOf(draft),
    text: () => wellFormed(textOf(draft.parts)),
  }
}

/** The part of an answer that has arrived. */
type Draft = {
  parts: Map<number, Part>
  usage: ApiUsage | null
  stopReason: string | null
  stopDetails: string | null
  ended: boolean
  /** Bytes that arrived, thinking and inputs of tools included. */
  written: number
}

type Part = { start: Record<string, unknown>; text: string; json: string; signature: string; closed: boolean }

function addEvent(draft: Draft, event: ModelEvent, onText: (text: string) => void): void {
  checkShape(event)
  const { parts } = draft
  switch (event.type) {
    case 'message_start':
      if (draft.usage) throw new GarbledError('the model API began its answer twice')
      draft.usage = usageOf(event.message.usage)
      return
    case 'content_block_start':
      if (parts.has(event.index)) throw new GarbledError(`the model API began content block ${event.index} twice`)
      parts.set(event.index, { start: { ...event.content_block }, text: '', json: '', signature: '', closed: false })
      return
    case 'content_block_delta':
      addDelta(draft, partAt(draft, event.index), event.delta, onText)
      return
    case 'content_block_stop':
      partAt(draft, event.index).closed = true
      return
    case 'message_delta':
      draft.stopReason = event.delta.stop_reason
      draft.stopDetails = event.delta.stop_details ? JSON.stringify(event.delta.stop_details) : null
      // Cumulative: a number replaces the previous one, and null replaces nothing.
      draft.usage = { ...draft.usage, ...withoutNulls(usageOf(event.usage)) }
      return
    case 'message_stop':
      draft.ended = true
      return
    default:
    // The API may add event types at any time (docs.claude.com, "Versioning").
  }
}

function partAt({ parts }: Draft, index: number): Part {
  const part = parts.get(index)
  if (!part || part.closed) throw new GarbledError(`an event of the model API names content block ${index}, which is not open`)
  return part
}

type Delta = Extract<ModelEvent, { type: 'content_block_delta' }>['delta']

function addDelta(draft: Draft, part: Part, delta: Delta, onText: (text: string) => void): void {
  if (delta.type === 'text_delta') {
    // Blocks of text are one text for the reader, and empty ones are none.
    if (part.text === '' && delta.text !== '' && textOf(draft.parts) !== '') onText('\n\n')
    part.text += delta.text
    draft.written += Buffer.byteLength(delta.text)
    onText(delta.text)
  } else if (delta.type === 'thinking_delta') {
    part.text += delta.thinking
    draft.written += Buffer.byteLength(delta.thinking)
  } else if (delta.type === 'input_json_delta') {
    part.json += delta.partial_json
    draft.written += Buffer.byteLength(delta.partial_json)
  } else if (delta.type === 'signature_delta') part.signature = delta.signature
}

function answerOf({ parts, usage, ended, stopReason, stopDetails }: Draft): Answer {
  if (!usage) throw new GarbledError('the answer of the model API has no beginning')
  if (!ended) throw new CutError('the answer of the model API broke off before its end')
  const ordered = [...parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part)
  // By their place: two calls may come under one id.
  const callsByPart = new Map(ordered.filter(({ start }) => start.type === 'tool_use').map((part) => [part, callOf(part)]))
  const content = ordered.flatMap((part) => blockOf(part, callsByPart.get(part)))
  const calls = [...callsByPart.values()]
  return { content, text: textOf(parts), calls, stopReason: stopReason ?? 'none', stopDetails, usage }
}

function textOf(parts: ReadonlyMap<number, Part>): string {
  return [...parts.values()].flatMap(({ start, text }) => (start.type === 'text' && text !== '' ? [text] : [])).join('\n\n')
}

function callOf({ start, json, closed }: Part): ToolCall {
  const call = { id: String(start.id), name: String(start.name) }
  const parsed = inputOf(start, json)
  if (isObject(parsed) && closed) return { ...call, input: parsed, problem: null }
  // The block must go back into the conversation with an object as its input.
  const input = { unreadable: cutText(json, 2000) }
  if (!closed) return { ...call, input, problem: 'the output was cut off in the middle of it' }
  return { ...call, input, problem: parsed === undefined ? 'its input is not valid JSON' : 'its input is not a JSON object' }
}

function inputOf(start: Part['start'], json: string): unknown {
  return json.trim() === '' ? (start.input ?? {}) : parseJson(json)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The block as it arrived, without null fields. What the API would not accept back is left out later, see `sendable`. */
function blockOf({ start, text, json, signature }: Part, call: ToolCall | undefined): ModelBlock[] {
  const given = withoutNulls(start)
  if (start.type === 'text') return text === '' ? [] : [{ ...given, type: 'text', text }]
  if (start.type === 'thinking') return [{ ...given, type: 'thinking', thinking: text, signature }]
  if (call) return [{ ...given, type: 'tool_use', id: call.id, name: call.name, input: call.input }]
  // A tool that runs at the API: its input arrives like that of any other.
  if ('input' in start) {
    const input = inputOf(start, json)
    return isObject(input) ? [{ ...given, input } as unknown as ModelBlock] : []
  }
  return [given as unknown as ModelBlock]
}

/** What no call can have counts as missing: the gateway decides what it costs. */
function usageOf(value: unknown): ApiUsage {
  return ApiUsage.safeParse(value).data ?? {}
}

function withoutNulls(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
