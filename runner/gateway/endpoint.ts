import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** One request at the door. */
export type Call = {
  request: IncomingMessage
  response: ServerResponse
  /** As it came on the wire: neither decoded nor normalised, so that comparing it with a known path is safe. */
  path: string
  /** What follows the `?`, undecoded; empty without one. */
  query: string
  /** Aborts when the caller has gone away, or the door was shut, before the answer was whole. */
  gone: AbortSignal
}

/** A part of the door: answers one kind of call. Whatever it throws becomes a 500 without details. */
export type Room = (call: Call) => Promise<void>

/** Answers with one plain sentence. git and npm show such a text to whoever called them. */
export function answer(response: ServerResponse, status: number, sentence: string, headers: OutgoingHttpHeaders = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers })
  response.end(`${sentence}\n`)
}

/** @returns those of the named headers that are there, once each, in lower case */
export function pickHeaders(message: IncomingMessage, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(names.flatMap((name) => (message.headers[name] === undefined ? [] : [[name, message.headers[name]]])))
}

/** @returns the whole body, or null when it is longer than `maxBytes` */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  // The stream is left open on the way out, so that the refusal can still be written to the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
