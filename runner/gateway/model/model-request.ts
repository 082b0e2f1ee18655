import { cutText } from '../../../contract/shared/characters.ts'
import { parseJson } from '../../../contract/shared/json.ts'
import { MODELS } from '../../../contract/shared/models.ts'
import { type Said, unheaded } from '../../../contract/wire/prompt.ts'
import { findRepeatedKey, isModestJson } from './json-text.ts'

/** The relevant facts of an allowed body, or why the body is refused. */
export type Checked =
  | { ok: true; body: Record<string, unknown>; maxTokens: number; images: number; imageBytes: number; said: Said[] }
  | { ok: false; status: 400 | 403; message: string; code?: string }

/**
 * The fields that a call may have. New fields that cost, reach out or keep state appear without notice, so everything else is refused.
 * Left out on purpose: `fallbacks` (another model), `mcp_servers` and `container` (reach out), `speed`, `service_tier` and
 * `inference_geo` (another price), `thread` and `context_management` (state and edits that the meter does not see).
 */
const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'tools',
  'tool_choice',
  'stream',
  'stop_sequences',
  'thinking',
  'output_config',
  'cache_control',
  'metadata',
  'temperature',
  'top_p',
  'top_k',
])

/** Tools that run at the caller. All others run at the model API and have its internet access. */
const CLIENT_TOOL = /^(custom|(bash|text_editor)_\d{8})$/
/** Sources whose bytes are in the body. For the others (`url`, `file`) the model API fetches them. */
const INLINE_SOURCES: readonly unknown[] = ['base64', 'text', 'content']

/**
 * Decides whether the bytes of a call may pass unchanged.
 * @param model the one model of this attempt
 */
export function checkModelRequest(bytes: Buffer, model: string): Checked {
  // Before the whole body is looked at, which blocks the other attempts.
  if (!/^\s*\{/.test(bytes.toString('latin1', 0, 64))) return invalid('The body is not a JSON object.')
  if (!isModestJson(bytes)) return invalid('The body has too many values, or is nested too deeply.')
  const text = bytes.toString('utf8')
  const body = parseJson(text)
  if (!isObject(body) || Array.isArray(body)) return invalid('The body is not a JSON object.')
  const repeated = findRepeatedKey(text)
  if (repeated !== null) return invalid(`The body has the key ${shown(repeated)} twice in one object.`)
  if ('thread' in body)
    return { ...invalid('Threads are not available here: send the whole conversation.'), code: 'thread_unsupported_request' }
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field))
  if (unknown !== undefined) return forbidden(`The field ${shown(unknown)} is not allowed here.`)
  if (body.model !== model) return forbidden(`This task may use only ${model}, not ${shown(body.model)}.`)
  return (
    checkMaxTokens(body.max_tokens, model) ??
    checkTools(body.tools) ??
    checkCaching([body, ...listOf(body.tools)]) ??
    checkContent(body, Number(body.max_tokens))
  )
}

function checkMaxTokens(maxTokens: unknown, model: string): Checked | null {
  const most = MODELS[model]?.maxOutputTokens ?? 0
  if (!Number.isSafeInteger(maxTokens) || Number(maxTokens) < 0) return invalid('max_tokens: a whole number is required.')
  return Number(maxTokens) > most ? forbidden(`max_tokens may be at most ${most} here.`) : null
}

function checkTools(tools: unknown): Checked | null {
  if (tools === undefined || tools === null) return null
  if (!Array.isArray(tools)) return invalid('tools: a list is required.')
  for (const tool of tools) {
    const type = isObject(tool) ? (tool.type ?? 'custom') : tool
    if (typeof type !== 'string' || !CLIENT_TOOL.test(type))
      return forbidden(`The tool type ${shown(type)} is not allowed here: tools must run in the sandbox.`)
  }
  return null
}

/** A prompt that is cached for an hour costs twice what the budget holds for it. */
function checkCaching(nodes: readonly unknown[]): Checked | null {
  const isExpensive = (node: unknown) =>
    isObject(node) && isObject(node.cache_control) && (node.cache_control.ttl ?? '5m') !== '5m'
  return nodes.some(isExpensive) ? forbidden('cache_control may only have a ttl of 5m here.') : null
}

/**
 * Checks the conversation at any depth, tool results included. It skips `tool_use.input`: that is any JSON that the model once passed to a
 * tool, and the model API only reads it.
 */
function checkContent(body: Record<string, unknown>, maxTokens: number): Checked {
  let images = 0
  let imageBytes = 0
  const left = [body.messages, body.system]
  while (left.length > 0) {
    const node = left.pop()
    if (!isObject(node)) continue
    const { source } = node
    const refusal = checkCaching([node])
    if (refusal) return refusal
    if ('file_id' in node) return forbidden('Stored files (file_id) are not allowed here: send the bytes.')
    if (isObject(source)) {
      if (!INLINE_SOURCES.includes(source.type))
        return forbidden(`A source of type ${shown(source.type)} is not allowed here: send the bytes.`)
      // A PDF of a few kilobytes can have hundreds of pages: its size does not bound its cost.
      if (source.type === 'base64' && node.type !== 'image')
        return forbidden('Only images may be sent as base64 here: send the text of a document.')
      if (source.type === 'base64') {
        images += 1
        imageBytes += typeof source.data === 'string' ? Buffer.byteLength(source.data) : 0
      }
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'input' || node.type !== 'tool_use') left.push(value)
  }
  return { ok: true, body, maxTokens, images, imageBytes, said: saidIn(body.messages) }
}

/** @returns the person's words in the conversation, in order: whole text blocks of user messages, never the result of a tool */
function saidIn(messages: unknown): Said[] {
  return listOf(messages).flatMap((message) => {
    if (!isObject(message) || message.role !== 'user') return []
    const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : listOf(message.content)
    return blocks.flatMap((block) => {
      const isText = isObject(block) && block.type === 'text' && typeof block.text === 'string'
      return (isText && unheaded(String(block.text))) || []
    })
  })
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function invalid(message: string) {
  return { ok: false, status: 400, message } as const
}
function forbidden(message: string) {
  return { ok: false, status: 403, message } as const
}

function shown(value: unknown): string {
  return cutText(JSON.stringify(value) ?? 'nothing', 100)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
