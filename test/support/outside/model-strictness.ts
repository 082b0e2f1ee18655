import { hash as digest } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { MODELS } from '../../../contract/shared/models.ts'
import { once } from '../scripted/request-parts.ts'
import { manyImagesRefusal, messagesRefusal } from './model-messages.ts'

type Json = Record<string, unknown>
export type Message = { role: string; content: Json[] }
/** A request as the real API would take it; content that was a string is a list of one text. */
export type ModelBody = { model: string; max_tokens: number; system: Json[]; tools: Json[]; messages: Message[] } & Json

export type Refusal = { status: number; type: string; message: string }

function refuse(message: string, status = 400, type = 'invalid_request_error'): Refusal {
  return { status, type, message }
}

/**
 * What the real API refuses of a request as such, in its own manner (version 2026-10-21, models from 5.1 on). @returns null for a good one
 * @param issued whether this server wrote a signature
 */
export function refusalOf(
  headers: IncomingHttpHeaders,
  body: ModelBody,
  key: string,
  issued: (signature: string) => boolean,
): Refusal | null {
  const shown = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '')
  if (shown !== key) return refuse('invalid x-api-key', 401, 'authentication_error')
  if (!headers['anthropic-version']) return refuse('anthropic-version: header is required')
  if (!MODELS[body.model]) return refuse(`model: ${body.model}`, 404, 'not_found_error')
  if (!Number.isInteger(body.max_tokens) || body.max_tokens < 1) return refuse('max_tokens: must be a positive integer')
  if (body.stream !== true) return refuse('stream: this server only streams')
  for (const name of ['temperature', 'top_p', 'top_k']) if (name in body) return refuse(`${name}: Extra inputs are not permitted`)
  const choice = body.tool_choice as Json | undefined
  if (choice && choice.type !== 'auto' && choice.type !== 'none') return refuse('tool_choice: forced tool use is not supported')
  const thinking = body.thinking as Json | undefined
  if (thinking && thinking.type !== 'adaptive') return refuse('thinking: only adaptive is supported')
  const marks = blocksOf(body).filter(({ cache_control }) => cache_control).length + (body.cache_control ? 1 : 0)
  if (marks > 4) return refuse(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`)
  const unmarkable = body.messages.some(({ content }) =>
    content.some(({ type, cache_control }) => cache_control && /thinking$/.test(String(type))),
  )
  if (unmarkable) return refuse('thinking blocks cannot have cache_control')
  return (
    toolsRefusal(body.tools) ?? messagesRefusal(body.messages, issued) ?? manyImagesRefusal(body.messages) ?? windowRefusal(body)
  )
}

/** What an image costs, whatever its bytes: the least that the API counts for one that is worth looking at. */
const IMAGE_TOKENS = 1_600

/** @returns about how many tokens the API would count in the prompt */
export function promptTokens({ system, tools, messages }: ModelBody): number {
  const lists = [system, tools, messages].map((list) => list.map(sizeOf))
  const frame = JSON.stringify({ system: [], tools: [], messages: [] }).length
  const commas = lists.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0)
  const total = (what: 'bytes' | 'images') => lists.flat().reduce((sum, size) => sum + size[what], 0)
  return tokensIn({ bytes: frame + commas + total('bytes'), images: total('images') })
}

/** @returns about how many tokens the API would count in a block, without its mark */
export const tokensOf = once((block: Json) => tokensIn(sizeOf(canonical(block) as Json)))

/** Bytes of the JSON without the images, and their number. */
const sizeOf = once((part: object) => {
  let images = 0
  const text = JSON.stringify(part, (_key, value) => {
    if (value?.type !== 'image') return value
    images += 1
    return { type: 'image' }
  })
  return { bytes: Buffer.byteLength(text), images }
})

function tokensIn({ bytes, images }: { bytes: number; images: number }): number {
  return Math.ceil(bytes / 4) + images * IMAGE_TOKENS
}

/** A prompt that is longer than the model's window. (An answer that fills the rest of it ends with a stop reason of its own.) */
function windowRefusal(body: ModelBody): Refusal | null {
  const most = MODELS[body.model]?.contextTokens ?? 0
  const tokens = promptTokens(body)
  return tokens > most ? refuse(`prompt is too long: ${tokens} tokens > ${most} maximum`) : null
}

/**
 * Hashes of everything before message 0, 1, 2… and before the one to come: the model API binds thinking to them. Marks, nulls and the order
 * of keys do not count.
 */
export function prefixHashes({ model, system, tools, messages }: ModelBody): string[] {
  const hashes = [hash(JSON.stringify(canonical({ model, system, tools })))]
  for (const message of messages) hashes.push(hashAfter(hashes.at(-1) ?? '', message))
  return hashes
}

/** @returns the hash of a part and of everything before it, whose hash is given */
export function hashAfter(before: string, part: object): string {
  const last = lastHashes.get(part)
  if (last?.before === before) return last.hash
  const made = hash(`${before} ${canonicalText(part)}`)
  lastHashes.set(part, { before, hash: made })
  return made
}
const lastHashes = new WeakMap<object, { before: string; hash: string }>()
const canonicalText = once((part: object) => JSON.stringify(canonical(part)))

/** @returns everything that may bear a mark of the cache, in the order in which the API reads it */
export function blocksOf({ tools, system, messages }: ModelBody): Json[] {
  return [...tools, ...system, ...messages.flatMap(({ content }) => content)]
}

export function hash(text: string): string {
  return digest('sha256', text, 'hex').slice(0, 32)
}

function toolsRefusal(tools: readonly Json[]): Refusal | null {
  const names = tools.map(({ name }) => String(name))
  if (new Set(names).size < names.length) return refuse('tools: Tool names must be unique.')
  const open = tools.find(({ strict, input_schema }) => strict && !closed(input_schema as Json))
  return open ? refuse(`tools.${String(open.name)}: strict tools must set additionalProperties to false`) : null
}

function closed(schema: Json): boolean {
  return (
    schema.type !== 'object' ||
    (schema.additionalProperties === false &&
      Object.values((schema.properties ?? {}) as Json).every((inner) => closed(inner as Json)))
  )
}

/** Without marks and nulls, and with the keys in order: what the API takes for the same. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, item]) => key !== 'cache_control' && item !== null && item !== undefined)
  const rest = entries.map(([key, item]) => [key, key === 'content' && typeof item === 'string' ? textOnly(item) : item] as const)
  return Object.fromEntries(rest.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, canonical(item)]))
}

function textOnly(text: string) {
  return [{ type: 'text', text }]
}
