import { once } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import { cutText } from '../../../contract/shared/characters.ts'
import { parseJson } from '../../../contract/shared/json.ts'
import { UNCONFIRMED } from '../../../contract/wire/names.ts'
import { type Call, pickHeaders } from '../endpoint.ts'
import { failureText, type Upstream, wasSent } from '../upstream.ts'
import { keyRefused, REDIRECTED, refuse, unreachable } from './model-refusal.ts'
import { createJsonMeter, createStreamMeter, NOTHING_READ, type Reading } from './usage-meter.ts'

/** The headers of an answer that pass: how to read it, whether and when to try again, and what to quote to the API's support. */
const ANSWER_HEADERS = [
  'content-type',
  'content-encoding',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'request-id',
] as const

/**
 * Makes the call and passes its answer on.
 * @param onTaken called when the model API has accepted the request, before any of its answer passes
 * @returns what it revealed about its cost; null when it costs nothing
 */
export async function callModel(
  { baseUrl, key, upstream, log }: { baseUrl: string; key: string; upstream: Upstream; log: Logger },
  call: Call,
  bytes: Buffer,
  onTaken: () => void,
): Promise<Reading | null> {
  const { response, gone } = call
  const headers = headersFor(call, key, bytes)
  let found: IncomingMessage
  try {
    found = await upstream.call({ url: `${baseUrl}/v1/messages`, method: 'POST', headers, body: bytes, signal: gone })
  } catch (error) {
    // A caller that leaves early may have put the model to work. If that were free, it could be repeated without end.
    if (gone.aborted) return NOTHING_READ
    log.warn({ event: 'model.unreachable', reason: failureText(error) })
    refuse(response, unreachable(failureText(error)))
    // The same applies to a request that was sent: the model may have read and answered it, although nobody saw the answer.
    return wasSent(error) ? NOTHING_READ : null
  }
  const status = found.statusCode ?? 502
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) {
    log.error({ event: 'model.misconfigured', status })
    const words = status < 400 ? '' : await wordsOf(found, [key, call.request.headers.authorization ?? ''])
    found.destroy()
    refuse(response, status < 400 ? REDIRECTED : keyRefused(status, words))
    return null
  }
  if (status === 200) onTaken()
  response.writeHead(status === UNCONFIRMED ? 502 : status, pickHeaders(found, ANSWER_HEADERS))
  response.flushHeaders()
  const reading = await relayAnswer(found, call)
  return status === 200 ? reading : null
}

/**
 * Built, never forwarded. The key is sent as `x-api-key`, which every version of the API and its stand-ins accept, although the SDK sends
 * our token as Bearer. Betas are dropped: they change what a call may do, and the check of the request refuses the fields that need one
 * anyway.
 */
function headersFor({ request }: Call, key: string, bytes: Buffer): OutgoingHttpHeaders {
  const version = request.headers['anthropic-version']
  return {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'x-api-key': key,
    ...(typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version) ? { 'anthropic-version': version } : {}),
  }
}

/** How much of a refusal is read, and for how long. */
const WORDS_BYTES = 16 * 1024
const WORDS_MS = 5_000
const WORDS_CHARS = 500

/** @returns the API's own words in its refusal, without secrets and control characters; empty if it is not in the API's form */
async function wordsOf(found: IncomingMessage, secrets: readonly string[]): Promise<string> {
  const silence = setTimeout(() => found.destroy(), WORDS_MS)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of found) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > WORDS_BYTES) break
    }
  } catch {
    // What has come is enough, or nothing is.
  } finally {
    clearTimeout(silence)
  }
  const body = parseJson(Buffer.concat(chunks).toString('utf8')) as { error?: { message?: unknown } } | null | undefined
  const message = typeof body?.error?.message === 'string' ? body.error.message : ''
  const safe = secrets.filter(Boolean).reduce((text, secret) => text.replaceAll(secret, '[secret]'), message)
  return cutText(safe.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim(), WORDS_CHARS)
}

const CUT = 'The connection to the model API was lost in the middle of the answer.'
const LINE_FEED = 10

/**
 * Passes an answer's body on as it arrives, and reads its cost at the same time. When the model API goes away in the middle, a stream of
 * events ends with an `error` event, and any other body with a broken connection: never as if it were whole.
 */
async function relayAnswer(found: IncomingMessage, call: Call): Promise<Reading> {
  const events = found.headers['content-type']?.startsWith('text/event-stream') ? createLineGate() : null
  const meter = events ? createStreamMeter() : createJsonMeter()
  const pass = async (bytes: Buffer) => {
    if (bytes.length === 0) return
    meter.take(bytes)
    if (!call.response.write(bytes)) await once(call.response, 'drain', { signal: call.gone })
  }
  try {
    for await (const chunk of found) await pass(events ? events.take(chunk) : chunk)
    if (events) await pass(events.rest())
    call.response.end()
  } catch {
    // The caller or the model API has left; the answer and its cost show which.
    found.destroy()
    if (events && !call.gone.aborted) call.response.end(events.lastWords(CUT))
    else call.response.destroy()
    return { ...meter.reading(), whole: events ? meter.reading().whole : false }
  }
  return meter.reading()
}

/**
 * Passes server-sent events on by whole lines. No reader can use half a line, so the stream can always be ended well. It delays nothing else
 * and changes no byte.
 */
function createLineGate() {
  let begun: Buffer[] = []
  let lastLine = ''
  return {
    /** @returns the bytes that may go on now; often all, sometimes none */
    take: (chunk: Buffer): Buffer => {
      const end = chunk.lastIndexOf(LINE_FEED) + 1
      if (end === 0) {
        begun.push(chunk)
        return Buffer.alloc(0)
      }
      const ready = Buffer.concat([...begun, chunk.subarray(0, end)])
      begun = [chunk.subarray(end)]
      lastLine = ready.subarray(ready.lastIndexOf(LINE_FEED, ready.length - 2) + 1).toString('utf8')
      return ready
    },
    /** @returns the unfinished last line, for a stream that ended by itself */
    rest: (): Buffer => Buffer.concat(begun),
    /**
     * @returns the last bytes of a stream that was cut: an `error` event as the model API writes it. It drops a half line, finishes an event
     *   whose data had arrived, and renames one that had only its name.
     */
    lastWords: (message: string): string => {
      const event = `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'api_error', message } })}\n\n`
      return lastLine.startsWith('data:') ? `\n${event}` : event
    },
  }
}
