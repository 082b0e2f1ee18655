import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../../../support/systems/temporary.ts'

export type Seen = { headers: IncomingMessage['headers']; path: string; body: Buffer; aborted: boolean }

export type Upstream = { url: string; seen: Seen[]; stop: () => Promise<void> }

/** A model API that answers every call with `reply`, and keeps what it was sent. */
export async function startUpstream(reply: (response: ServerResponse, seen: Seen) => unknown): Promise<Upstream> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const one: Seen = { headers: request.headers, path: request.url ?? '', body: await buffer(request), aborted: false }
    seen.push(one)
    response.once('close', () => {
      one.aborted = !response.writableFinished
    })
    await reply(response, one)
  })
  const { url, close } = await listen(server)
  return {
    url,
    seen,
    stop: close,
  }
}

export function event(type: string, data: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}

/** The beginning of a streamed answer: its prompt has been read. */
export const BEGIN = event('message_start', {
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1000, cache_creation_input_tokens: 200, cache_read_input_tokens: 5000, output_tokens: 1 },
  },
})

export function textDelta(text: string): string {
  return event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })
}

export function streamOf(text: string, outputTokens = 50): string[] {
  return [
    BEGIN,
    event('ping'),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    textDelta(text),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: outputTokens, input_tokens: null },
    }),
    event('message_stop'),
  ]
}

export function sendStream(response: ServerResponse, parts: string[], headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_1', ...headers })
  for (const part of parts) response.write(part)
  response.end()
}
