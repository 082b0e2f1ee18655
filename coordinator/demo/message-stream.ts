import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

export type Content =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string; citations: null }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> }

export type ModelMessage = {
  id: string
  model: string
  content: readonly Content[]
  stopReason: 'tool_use' | 'end_turn'
  usage: { inputTokens: number; cacheReadTokens: number; cacheWriteTokens: number; outputTokens: number }
}

/**
 * Writes the message as the Messages API streams it (platform.claude.com, "Streaming messages"), at the pace of a person who writes.
 * Returns early, without an error, when the client goes away.
 * @param paceMs pause between two pieces, milliseconds
 */
export async function sendAsStream(response: ServerResponse, message: ModelMessage, paceMs: number): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  try {
    for (const { data, paced } of streamEvents(message)) {
      if (!response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`))
        await once(response, 'drain', { signal: gone.signal })
      if (paced && paceMs > 0) await pause(paceMs, undefined, { signal: gone.signal })
    }
    response.end()
  } catch (error) {
    if (!gone.signal.aborted) throw error
  }
}

/** The same message as one JSON object, for a request without `stream`. */
export function asJson(message: ModelMessage) {
  return {
    ...shell(message, message.usage.outputTokens),
    content: message.content.map((block) => (block.type === 'tool_use' ? { ...block, caller: { type: 'direct' } } : block)),
    stop_reason: message.stopReason,
  }
}

type StreamEvent = { data: { type: string; [key: string]: unknown }; paced?: boolean }

/** Every server-sent event of the message, in order; `paced` ones are followed by a pause. */
export function* streamEvents(message: ModelMessage): Generator<StreamEvent> {
  yield { data: { type: 'message_start', message: shell(message, 1) } }
  yield { data: { type: 'ping' }, paced: true }
  for (const [index, block] of message.content.entries()) {
    yield { data: { type: 'content_block_start', index, content_block: emptied(block) } }
    for (const delta of deltasOf(block)) yield { data: { type: 'content_block_delta', index, delta }, paced: true }
    if (block.type === 'thinking')
      yield { data: { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } } }
    yield { data: { type: 'content_block_stop', index } }
  }
  const delta = { stop_reason: message.stopReason, stop_sequence: null, stop_details: null, container: null }
  yield { data: { type: 'message_delta', delta, usage: { output_tokens: message.usage.outputTokens } } }
  yield { data: { type: 'message_stop' } }
}

function shell({ id, model, usage }: ModelMessage, outputTokens: number) {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: usage.inputTokens,
      cache_creation_input_tokens: usage.cacheWriteTokens,
      cache_read_input_tokens: usage.cacheReadTokens,
      cache_creation: { ephemeral_5m_input_tokens: usage.cacheWriteTokens, ephemeral_1h_input_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: null,
      speed: null,
    },
  }
}

function emptied(block: Content) {
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' }
  if (block.type === 'text') return { ...block, text: '' }
  return { ...block, input: {}, caller: { type: 'direct' } }
}

function deltasOf(block: Content) {
  if (block.type === 'thinking') return pieces(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking }))
  if (block.type === 'text') return pieces(block.text).map((text) => ({ type: 'text_delta', text }))
  const json = JSON.stringify(block.input).match(/[\s\S]{1,48}/gu) ?? []
  return ['', ...json].map((part) => ({ type: 'input_json_delta', partial_json: part }))
}

/** Word by word, each with the space behind it; nothing is lost. */
function pieces(text: string): string[] {
  return text.match(/\s*\S+\s?|\s+$/gu) ?? []
}
