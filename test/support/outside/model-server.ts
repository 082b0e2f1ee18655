import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { createParts } from '../scripted/request-parts.ts'
import { listen } from '../systems/temporary.ts'
import { type CacheUse, createPromptCache, type PromptCache } from './model-cache.ts'
import { type Message, type ModelBody, prefixHashes, type Refusal, refusalOf } from './model-strictness.ts'
import { eventsOf, type Reply, sendEvents } from './model-wire.ts'

/** One request that was let through, as the policy gets it. */
export type SeenRequest = {
  /** 0, 1, 2… over those that were let through. */
  index: number
  headers: IncomingHttpHeaders
  body: ModelBody
  /** Results that the last message brings, in order. */
  results: ReadonlyArray<{ id: string; text: string; isError: boolean }>
  /** Text of the last message apart from results. */
  said: string
  /** What it reads from the API's cache and writes to it, tokens. */
  cache: CacheUse
}

/** Decides the answer from what the agent sent: it must read real tool output to get on, as a model must. */
export type Policy = (request: SeenRequest) => Reply | Promise<Reply>

export type ModelServer = {
  /** As `ANTHROPIC_BASE_URL`, without `/v1`. */
  url: string
  requests: SeenRequest[]
  /** What was refused as the real API would: empty after a run without a fault of the client's. */
  refusals: Refusal[]
  /** Answers under way. */
  open: () => number
  stop: () => Promise<void>
}

/**
 * A scripted stand-in for the model API on 127.0.0.1: it speaks the real stream, refuses what the real one refuses (`model-strictness.ts`),
 * and binds each thinking block that it issues to everything before it, as models from 5.1 on do.
 * @param key the one key that it lets in, as Bearer or as `x-api-key`
 */
export async function startModelServer({ key, policy }: { key: string; policy: Policy }): Promise<ModelServer> {
  const seen: Seen = { key, requests: [], refusals: [], issued: new Map(), cache: createPromptCache(), same: createParts() }
  let open = 0
  const server = createServer((request, response) => {
    open += 1
    response.once('close', () => {
      open -= 1
    })
    answer(seen, policy, request, response).catch((error: unknown) =>
      response.headersSent
        ? response.destroy()
        : sendError(response, { status: 400, type: 'policy_failed', message: String(error) }),
    )
  })
  const { url, close } = await listen(server)
  return {
    url,
    requests: seen.requests,
    refusals: seen.refusals,
    open: () => open,
    stop: close,
  }
}

/** What one server has seen, and the signatures that it has issued: each with what stood before its thinking. */
type Seen = {
  key: string
  requests: SeenRequest[]
  refusals: Refusal[]
  issued: Map<string, string>
  cache: PromptCache
  same: ReturnType<typeof createParts>
}

async function answer(seen: Seen, policy: Policy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { requests, refusals, issued } = seen
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/v1/messages')
    return sendError(response, { status: 404, type: 'not_found_error', message: `${request.method} ${request.url}` })
  const body = normal((await json(request)) as ModelBody, seen.same)
  const refusal = refusalOf(request.headers, body, seen.key, (signature) => issued.has(signature)) ?? bindingRefusal(body, issued)
  if (refusal) {
    refusals.push(refusal)
    return sendError(response, refusal)
  }
  const accepted = { index: requests.length, headers: request.headers, body, ...lastMessage(body), cache: seen.cache.use(body) }
  requests.push(accepted)
  const reply = await policy(accepted)
  if ('silent' in reply) return reply.silent === 'reset' ? void request.socket.destroy() : undefined
  if ('raw' in reply) return void response.writeHead(200, { 'content-type': reply.contentType ?? 'text/html' }).end(reply.raw)
  if ('status' in reply) return sendError(response, reply)
  const id = issued.size + 1
  issued.set(`sig_${id}`, prefixHashes(body).at(-1) ?? '')
  const signature = reply.signature ?? `sig_${id}`
  const events = eventsOf(reply, {
    model: body.model,
    id: `msg_${id}`,
    signature,
    cache: accepted.cache,
    callId: (index) => `toolu_${id}_${index}`,
  })
  await sendEvents(response, events, reply.fault)
}

/** The documented answer to thinking that stands behind anything else than when it was written. */
function bindingRefusal(body: ModelBody, issued: ReadonlyMap<string, string>): Refusal | null {
  const hashes = prefixHashes(body)
  for (const [index, { role, content }] of body.messages.entries()) {
    if (role !== 'assistant') continue
    for (const block of content) {
      if (block.type !== 'thinking' || issued.get(String(block.signature)) === hashes[index]) continue
      const message = `messages.${index}: The block is bound to a different conversation. Remove the block, or set thinking.block_binding.prefix_mismatch_behavior to "drop_block"`
      return { status: 400, type: 'invalid_request_error', message }
    }
  }
  return null
}

function normal(body: ModelBody, same: Seen['same']): ModelBody {
  const list = (value: unknown) =>
    typeof value === 'string' ? [{ type: 'text', text: value }] : ((value ?? []) as Message['content'])
  const messages = (body.messages ?? []).map(({ role, content }) => same({ role, content: list(content) }))
  return { ...body, system: list(body.system).map(same), tools: (body.tools ?? []).map(same), messages }
}

function lastMessage({ messages }: ModelBody): Pick<SeenRequest, 'results' | 'said'> {
  const content = messages.at(-1)?.content ?? []
  const textOf = (value: unknown): string =>
    typeof value === 'string' ? value : ((value ?? []) as Array<{ text?: string }>).map(({ text }) => text ?? '').join('\n')
  return {
    results: content.flatMap((block) =>
      block.type === 'tool_result'
        ? [{ id: String(block.tool_use_id), text: textOf(block.content), isError: block.is_error === true }]
        : [],
    ),
    said: textOf(content.filter(({ type }) => type === 'text')),
  }
}

function sendError(
  response: ServerResponse,
  { status, type, message, headers = {}, code }: Refusal & { headers?: Record<string, string>; code?: string },
): void {
  const error = { type, message, ...(code ? { details: { error_code: code } } : {}) }
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_scripted', ...headers })
  response.end(JSON.stringify({ type: 'error', error, request_id: 'req_scripted' }))
}
