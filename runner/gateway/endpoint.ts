import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** One request at the door. */
export type Call = {
  request: IncomingMessage
  response: ServerResponse
  /** The raw path, neither decoded nor normalised, so that comparing it with a known path is safe. */
  path: string
  /** The part after the `?`, undecoded; empty without one. */
  query: string
  /** Aborts when the caller leaves, or the door closes, before the answer is complete. */
  gone: AbortSignal
}

/** A part of the door that answers one kind of call. Whatever it throws becomes a 500 without details. */
export type Endpoint = (call: Call) => Promise<void>

/** Answers with one plain sentence. git and npm show it to their user. */
export function answer(response: ServerResponse, status: number, sentence: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
  response.end(`${sentence}\n`)
}

export function answerJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

/** @returns the named headers that the message has, once each, in lower case */
export function pickHeaders(message: IncomingMessage, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (message.headers[name] === undefined ? [] : [[name, message.headers[name]]])))
}

/** @returns the chunks of a request; if the caller stops early, the stream stays open, so that a refusal can still be sent */
export function chunksOf(request: IncomingMessage): AsyncIterableIterator<Buffer> {
  return request.iterator({ destroyOnReturn: false })
}

/** @returns the whole body, or null when it is longer than `maxBytes` */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunksOf(request)) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export class TooManyBytes extends Error {
  override name = 'TooManyBytes'
}

/** A step of a pipeline that passes everything on, and ends it with {@link TooManyBytes} beyond `maxBytes`. */
export function limitBytes(maxBytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new TooManyBytes(`more than ${maxBytes} bytes`)
      yield chunk
    }
  }
}
