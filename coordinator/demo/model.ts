import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import * as z from 'zod'
import { parseJson } from '../../contract/shared/json.ts'
import { Message } from './conversation.ts'
import { asJson, type Content, type ModelMessage, sendAsStream } from './message-stream.ts'
import { decide } from './policy.ts'
import type { Call } from './script.ts'

type Options = { key: string; paceMs: number; log: Logger }

/** The fields that the demo model reads. It ignores the rest of the Messages API's body. */
const Body = z.looseObject({
  model: z.string().min(1),
  messages: z.array(Message).min(1),
  max_tokens: z.number().int().nonnegative().optional(),
  stream: z.boolean().default(false),
})
type Body = z.infer<typeof Body>

const MAX_BODY_BYTES = 32 * 1024 * 1024

/** The part of the Messages API that a coding agent uses (platform.claude.com, "Messages"), backed by the demo model. */
export function modelApi({ key, paceMs, log }: Options) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('request-id', `req_demo_${id()}`)
    try {
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      const counts = path.endsWith('/v1/messages/count_tokens')
      if (request.method !== 'POST' || !(counts || path.endsWith('/v1/messages')))
        throw new Fault(404, 'not_found_error', 'not found')
      if (!holdsKey(request, key)) throw new Fault(401, 'authentication_error', 'invalid x-api-key')
      if (!request.headers['anthropic-version']) throw invalid('anthropic-version: header is required')
      const body = await readBody(request)
      if (counts) return sendJson(response, 200, { input_tokens: tokens(body) })
      const message = messageFor(body)
      if (body.stream) await sendAsStream(response, message, paceMs)
      else sendJson(response, 200, asJson(message))
    } catch (error) {
      if (response.destroyed || response.headersSent) return void response.destroy()
      if (!(error instanceof Fault)) log.error({ event: 'demo.model_failed', err: error }, 'the demo model failed')
      const { status, type, message } = error instanceof Fault ? error : new Fault(500, 'api_error', 'the demo model failed')
      sendJson(response, status, { type: 'error', error: { type, message }, request_id: response.getHeader('request-id') })
    }
  }
}

class Fault extends Error {
  readonly status: number
  readonly type: string

  constructor(status: number, type: string, message: string) {
    super(message)
    this.status = status
    this.type = type
  }
}

function invalid(message: string): Fault {
  return new Fault(400, 'invalid_request_error', message)
}

function holdsKey({ headers }: IncomingMessage, key: string): boolean {
  const given = headers['x-api-key']?.toString() ?? headers.authorization?.replace(/^bearer /i, '') ?? ''
  return timingSafeEqual(digest(given), digest(key))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BODY_BYTES) throw new Fault(413, 'request_too_large', 'the request is larger than 32 MB')
    chunks.push(chunk as Buffer)
  }
  const json = parseJson(Buffer.concat(chunks).toString('utf8'))
  if (json === undefined) throw invalid('the body is not valid JSON')
  const parsed = Body.safeParse(json)
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error))
  return parsed.data
}

function messageFor(body: Body): ModelMessage {
  const { thinking, text, calls } = decide(body.messages)
  const content: Content[] = [
    ...(thinking ? [{ type: 'thinking' as const, thinking, signature: signatureOf(thinking) }] : []),
    ...(text ? [{ type: 'text' as const, text, citations: null }] : []),
    ...calls.map(toolUse),
  ]
  return {
    id: `msg_demo_${id()}`,
    model: body.model,
    content,
    stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: usageOf(body, content),
  }
}

function toolUse({ name, input }: Call) {
  return { type: 'tool_use' as const, id: `toolu_demo_${id()}`, name, input }
}

function signatureOf(thinking: string): string {
  return createHash('sha256').update(`demo\n${thinking}`).digest('base64')
}

function id(): string {
  return randomBytes(12).toString('hex')
}

/** Usage as in a real conversation with prompt caching: all but the newest messages come from the cache. */
function usageOf(body: Body, content: readonly Content[]): ModelMessage['usage'] {
  const all = tokens(body)
  const fresh = Math.min(all, tokens(body.messages.slice(-2)))
  const cached = body.messages.length > 1 ? all - fresh : 0
  return { inputTokens: 4, cacheReadTokens: cached, cacheWriteTokens: all - cached, outputTokens: tokens(content) }
}

/** A token is about four characters. */
function tokens(value: unknown): number {
  return Math.ceil(JSON.stringify(value).length / 4)
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
