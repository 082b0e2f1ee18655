import { once } from '../scripted/request-parts.ts'
import type { Message, Refusal } from './model-strictness.ts'

type Json = Record<string, unknown>

function refuse(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message }
}

/**
 * What the real API refuses of a conversation, in its own words and naming the block as it does: docs.claude.com ("Errors", "Vision", "Tool
 * use", "Extended thinking"), and its answers as people report them.
 * @param issued whether this server wrote a signature
 */
export function messagesRefusal(messages: readonly Message[], issued: (signature: string) => boolean): Refusal | null {
  // A half of a surrogate pair is no UTF-8: the whole body is refused, and nothing in it is named.
  if (messages.some(hasHalf))
    return refuse('The request body is not valid JSON: no low surrogate in string: line 1 column 4711 (char 4710)')
  if (messages[0]?.role !== 'user') return refuse('messages: the first message must be of the user')
  const seen = new Set<string>()
  const problem = firstOf(messages, (message, index) => messageProblem({ messages, issued, seen }, message, index))
  return problem === null ? lastProblem(messages.at(-1)) : refuse(problem)
}

const hasHalf = once((message: Message) => /\p{Surrogate}/u.test(textsIn(message).join('\n')))

function lastProblem(last: Message | undefined): Refusal | null {
  // A paused answer ends on the call of a server tool and is sent back as it is.
  const isPaused = last?.content.some(({ type }) => type === 'server_tool_use')
  if (last?.role !== 'assistant' || isPaused) return null
  return refuse('This model does not support assistant message prefill. The conversation must end with a user message.')
}

type Around = {
  messages: readonly Message[]
  issued: (signature: string) => boolean
  /** Ids of the calls before. */
  seen: Set<string>
}

function messageProblem({ messages, issued, seen }: Around, message: Message, index: number): string | null {
  const { role, content } = message
  const at = `messages.${index}`
  if (role !== 'user' && role !== 'assistant') return `${at}: unexpected role ${role}`
  if (content.length === 0) return `${at}: content must not be empty`
  const inBlock = PASSED.has(message)
    ? null
    : firstOf(content, (block, place) => blockProblem(`${at}.content.${place}`, role, block, issued))
  if (inBlock !== null) return inBlock
  PASSED.add(message)
  const ids = callIds(message)
  for (const id of ids) {
    if (seen.has(id)) return `${at}: \`tool_use\` ids must be unique`
    seen.add(id)
  }
  const before = messages[index - 1]
  const inResults = role === 'user' ? resultsProblem(before ? callIds(before) : [], content) : null
  if (inResults !== null) return `${at}: ${inResults}`
  if (role === 'assistant' && /^(redacted_)?thinking$/.test(String(content.at(-1)?.type)))
    return `${at}: The final block in an assistant message cannot be \`thinking\`.`
  const isDangling = ids.length > 0 && messages[index + 1]?.role !== 'user'
  return isDangling
    ? `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(', ')}`
    : null
}

/** Messages whose blocks were looked at: each request brings them again, and a signature that was issued stays so. */
const PASSED = new WeakSet<Message>()

const OF_THE_USER = ['text', 'image', 'document', 'tool_result']
const OF_THE_ASSISTANT = ['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'web_search_tool_result']

function blockProblem(at: string, role: string, block: Json, issued: (signature: string) => boolean): string | null {
  const { type } = block
  if (!(role === 'user' ? OF_THE_USER : OF_THE_ASSISTANT).includes(String(type)))
    return `${at}: Input tag '${type}' found using 'type' does not match any of the expected tags`
  if (type === 'text') return blankProblem(at, block)
  if (type === 'thinking' && !issued(String(block.signature))) return `${at}: Invalid \`signature\` in \`thinking\` block`
  if (type === 'redacted_thinking' && !block.data) return `${at}.redacted_thinking.data: Field required`
  if (type === 'tool_use' || type === 'server_tool_use') return callProblem(`${at}.${type}`, block)
  return type === 'tool_result' ? resultProblem(`${at}.tool_result`, block) : type === 'image' ? imageProblem(at, block) : null
}

function blankProblem(at: string, { text }: Json): string | null {
  return String(text ?? '').trim() === '' ? `${at}: text content blocks must contain non-whitespace text` : null
}

function callProblem(at: string, { id, name, input }: Json): string | null {
  if (!/^[a-zA-Z0-9_-]+$/.test(String(id))) return `${at}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(name))) return `${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`
  return typeof input !== 'object' || input === null || Array.isArray(input)
    ? `${at}.input: Input should be a valid dictionary`
    : null
}

function resultProblem(at: string, { content, is_error }: Json): string | null {
  if (!Array.isArray(content)) return null
  return firstOf(content as Json[], (part, index) => {
    const place = `${at}.content.${index}`
    if (part.type === 'text') return String(part.text ?? '') === '' ? `${place}: text content blocks must be non-empty` : null
    if (is_error) return `${at}: all content must be type "text" if "is_error" is true`
    return part.type === 'image' ? imageProblem(place, part) : `${place}: unexpected type ${part.type}`
  })
}

function resultsProblem(asked: readonly string[], content: readonly Json[]): string | null {
  const results = content.filter(({ type }) => type === 'tool_result').map((block) => String(block.tool_use_id))
  const missing = asked.filter((id) => !results.includes(id))
  if (missing.length > 0) return `tool_use ids were found without tool_result blocks immediately after: ${missing.join(', ')}`
  const unexpected = results.filter((id) => !asked.includes(id))
  if (unexpected.length > 0) return `unexpected tool_use_id found in tool_result blocks: ${unexpected.join(', ')}`
  if (new Set(results).size < results.length) return 'each tool_use must have a single result'
  const late = content.findLastIndex(({ type }) => type === 'tool_result') >= results.length
  return late ? 'tool_result blocks must come first' : null
}

const callIds = once(({ content }: Message) => content.filter(({ type }) => type === 'tool_use').map(({ id }) => String(id)))

type Seen = { type: string; width: number; height: number }

function imageProblem(at: string, block: Json): string | null {
  const source = block.source as { media_type: string; data: string }
  const bytes = Buffer.from(source.data, 'base64')
  if (source.data.length > 5 * 1024 * 1024)
    return `${at}.image.source.base64: image exceeds 5 MB maximum: ${source.data.length} bytes > 5242880 bytes`
  const seen = seenIn(bytes)
  if (seen === null) return 'Could not process image'
  if (seen.type !== source.media_type)
    return `${at}.image.source.base64.data: The image was specified using the ${source.media_type} media type, but the image appears to be a ${seen.type} image`
  return Math.max(seen.width, seen.height) > 8000
    ? `${at}.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels`
    : null
}

/** @returns what the rule for requests of more than 20 images refuses */
export function manyImagesRefusal(messages: readonly Message[]): Refusal | null {
  const sizes = messages.flatMap(imageSizes)
  if (sizes.length > 100) return refuse(`messages: too many images: ${sizes.length} > 100`)
  return sizes.length > 20 && Math.max(...sizes) > 2000
    ? refuse('At least one of the image dimensions exceed max allowed size for many-image requests: 2000 pixels')
    : null
}

/** The longer side of each image. */
const imageSizes = once(({ content }: Message) => {
  const images = content.flatMap((block) =>
    block.type === 'tool_result' && Array.isArray(block.content) ? (block.content as Json[]) : [block],
  )
  return images.flatMap((block) => {
    if (block.type !== 'image') return []
    const { width = 0, height = 0 } = seenIn(Buffer.from((block.source as { data: string }).data, 'base64')) ?? {}
    return [Math.max(width, height)]
  })
})

/** Only what the tests send: whole PNGs and the beginning of JPEGs. @returns null for what the API cannot process */
function seenIn(bytes: Buffer): Seen | null {
  if (bytes.subarray(1, 4).toString() === 'PNG') {
    const isWhole = bytes.length > 44 && bytes.subarray(-8, -4).toString() === 'IEND'
    return isWhole ? { type: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : null
  }
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]))
  if (bytes.readUInt16BE(0) !== 0xffd8 || frame < 0) return null
  return { type: 'image/jpeg', height: bytes.readUInt16BE(frame + 5), width: bytes.readUInt16BE(frame + 7) }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)])
}

function firstOf<T>(items: readonly T[], problemOf: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of items.entries()) {
    const problem = problemOf(item, index)
    if (problem !== null) return problem
  }
  return null
}
