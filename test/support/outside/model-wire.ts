import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { CacheUse } from './model-cache.ts'

/** One block that the scripted model writes. `json` in place of `input` is sent as it is, whole or not, valid or not. */
export type ScriptedBlock =
  | { type: 'text'; text: string }
  | {
      type: 'tool_use'
      name: string
      input?: unknown
      json?: string
      /** No `content_block_stop` follows. */
      unclosed?: true
      /** In place of one of its own. */
      id?: string
    }
  /** Any other block, as it begins; its input in `json`. */
  | { type: 'other'; start: Record<string, unknown>; json?: string }

/** What goes wrong on the way, counted in events that were sent whole before it. */
export type StreamFault = {
  /** An `error` event takes the place of event n. */
  errorAt?: { event: number; type: string }
  /** The socket is destroyed. */
  cutAt?: number
  /** The answer ends as if it were whole. */
  eofAt?: number
  /** Nothing more is sent, and the socket stays; with `pingMs` pings go on. */
  stallAt?: number
  pingMs?: number
  /** Sent in pieces of so many bytes, through the middle of characters. */
  dripBytes?: number
  crlf?: boolean
  /** `message_start` comes twice. */
  twice?: boolean
  /** Event types and deltas that nobody knows are strewn in. */
  unknown?: boolean
}

/** An answer of the scripted model: a stream, an HTTP error, or bytes that are neither. */
export type Reply =
  | {
      content: readonly ScriptedBlock[]
      /** `tool_use` when there is a call, else `end_turn`. */
      stopReason?: string | null
      stopDetails?: unknown
      fault?: StreamFault
      usage?: Record<string, number>
      /** Of its thinking, in place of a good one. */
      signature?: string
    }
  | { status: number; headers?: Record<string, string>; type: string; message: string; code?: string }
  | { raw: string; contentType?: string }
  /** The connection is closed before any header, or nothing ever comes. */
  | { silent: 'reset' | 'hang' }

type WireEvent = { type: string; [field: string]: unknown }

/** @returns the events of one whole answer, in the order and shape of the Messages API (docs.claude.com, "Streaming messages") */
export function eventsOf(
  reply: Extract<Reply, { content: unknown }>,
  given: { model: string; id: string; signature: string; cache: CacheUse; callId: (index: number) => string },
): WireEvent[] {
  const { content, fault = {}, stopDetails = null } = reply
  const calls = content.some(({ type }) => type === 'tool_use')
  const stop = reply.stopReason === undefined ? (calls ? 'tool_use' : 'end_turn') : reply.stopReason
  const usage = {
    input_tokens: given.cache.input,
    cache_creation_input_tokens: given.cache.written,
    cache_read_input_tokens: given.cache.read,
    cache_creation: { ephemeral_5m_input_tokens: given.cache.written, ephemeral_1h_input_tokens: 0 },
    output_tokens: 1,
    service_tier: 'standard',
    ...reply.usage,
  }
  const start: WireEvent = {
    type: 'message_start',
    message: {
      id: given.id,
      type: 'message',
      role: 'assistant',
      model: given.model,
      content: [],
      container: null,
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage,
    },
  }
  const outputTokens = 20 + Math.ceil(JSON.stringify(content).length / 4)
  return [
    start,
    ...(fault.twice ? [start] : []),
    { type: 'ping' },
    ...thinkingEvents(given.signature),
    ...(fault.unknown ? [{ type: 'weather_report', sky: 'clear' }] : []),
    ...content.flatMap((block, index) => blockEvents(block, index + 1, given.callId(index), fault.unknown === true)),
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null, stop_details: stopDetails, container: null },
      usage: { output_tokens: reply.usage?.output_tokens ?? outputTokens, input_tokens: null },
    },
    { type: 'message_stop' },
  ]
}

/** Sends an answer, faults and all. */
export async function sendEvents(response: ServerResponse, events: readonly WireEvent[], fault: StreamFault = {}): Promise<void> {
  const newline = fault.crlf ? '\r\n' : '\n'
  const frame = (event: WireEvent) => `event: ${event.type}${newline}data: ${JSON.stringify(event)}${newline}${newline}`
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_scripted' })
  response.flushHeaders()
  for (const [index, event] of events.entries()) {
    if (response.destroyed) return
    if (fault.errorAt?.event === index) {
      response.end(frame({ type: 'error', error: { type: fault.errorAt.type, message: `scripted ${fault.errorAt.type}` } }))
      return
    }
    if (fault.cutAt === index) {
      // Given time to arrive first: a reset throws away what is still under way.
      await pause(20)
      response.destroy()
      return
    }
    if (fault.eofAt === index) return void response.end()
    if (fault.stallAt === index) {
      while (!response.destroyed) {
        await pause(fault.pingMs ?? 20)
        if (fault.pingMs) response.write(frame({ type: 'ping' }))
      }
      return
    }
    await sendPieces(response, Buffer.from(frame(event)), fault.dripBytes)
  }
  response.end()
}

async function sendPieces(response: ServerResponse, bytes: Buffer, size: number | undefined): Promise<void> {
  if (!size) return void response.write(bytes)
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size))
    await new Promise((done) => setImmediate(done))
  }
}

function thinkingEvents(signature: string): WireEvent[] {
  return [
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Let me think.' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature } },
    { type: 'content_block_stop', index: 0 },
  ]
}

function blockEvents(block: ScriptedBlock, index: number, id: string, unknown: boolean): WireEvent[] {
  const delta = (data: Record<string, unknown>): WireEvent => ({ type: 'content_block_delta', index, delta: data })
  const strange = unknown ? [delta({ type: 'colour_delta', colour: 'blue' })] : []
  const stop: WireEvent = { type: 'content_block_stop', index }
  if (block.type === 'text') {
    const start: WireEvent = { type: 'content_block_start', index, content_block: { type: 'text', text: '', citations: null } }
    return [start, ...strange, ...halves(block.text).map((text) => delta({ type: 'text_delta', text })), stop]
  }
  const given = block.type === 'tool_use' ? callOf(block, id) : { start: block.start, json: block.json ?? '' }
  const { json } = given
  const start: WireEvent = { type: 'content_block_start', index, content_block: given.start }
  const pieces = ['', ...halves(json)].map((partial_json) => delta({ type: 'input_json_delta', partial_json }))
  return [start, ...strange, ...pieces, ...('unclosed' in block && block.unclosed ? [] : [stop])]
}

function callOf({ name, input, json, id }: Extract<ScriptedBlock, { type: 'tool_use' }>, ownId: string) {
  const start = { type: 'tool_use', id: id ?? ownId, name, input: {}, caller: { type: 'direct' } }
  return { start, json: json ?? JSON.stringify(input ?? {}) }
}

function halves(text: string): string[] {
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)]
}
