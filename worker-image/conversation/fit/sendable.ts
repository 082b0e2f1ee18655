import { wellFormed } from '../../../contract/shared/characters.ts'
import type { ModelBlock, ModelMessage } from '../../model/model-client.ts'
import { imageFacts, imageProblem } from '../../tools/reading/image.ts'

/** Blocks of the model that we can send back. It has no reason to write any other: nothing that makes them is switched on. */
const KNOWN = ['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use']
/** In place of what would leave a message empty, which the API refuses as well. */
const NOTHING: ModelBlock = { type: 'text', text: '(nothing)' }
const NO_RESULT =
  'Outcome unknown: the sandbox was lost while this call was under way. Check whether it took effect before you run it again.'

/**
 * Pure. A conversation as the API takes it: what it would refuse is left out or replaced, block by block, and nothing else changes. The same
 * conversation always becomes the same bytes, and one that is good stays as it is, so what has an answer never changes later.
 *
 * The API's rules, as it words them when it refuses: text must not be blank; strings must be UTF-8; ids of calls are unique in the whole
 * conversation; each call has one result, in the next message, before anything else; a message of the model does not end on thinking, and
 * its thinking has a signature; images are what they claim to be; the user begins.
 */
export function sendable(messages: readonly ModelMessage[]): ModelMessage[] {
  const done: ModelMessage[] = []
  const used = new Set<string>()
  let open: Renamed[] = []
  for (const message of joined(messages)) {
    if (message.role === 'assistant') {
      const { content, calls } = sendableAnswer(blocksIn(message), used)
      if (done.length === 0) continue
      if (open.length > 0) done.push({ role: 'user', content: sendableInput([], open) })
      open = calls
      done.push({ role: 'assistant', content })
    } else {
      done.push({ role: 'user', content: sendableInput(blocksIn(message), open) })
      open = []
    }
  }
  if (open.length > 0) done.push({ role: 'user', content: sendableInput([], open) })
  return done
}

/** A call under its own id, and the id that it came with. */
export type Renamed = { id: string; was: string }

/**
 * Pure, but for `used`. An answer of the model as it can be sent back.
 * @param used the ids of all calls so far; those of this answer are added
 * @returns its blocks, and its calls in their order
 */
export function sendableAnswer(content: readonly ModelBlock[], used: Set<string>): { content: ModelBlock[]; calls: Renamed[] } {
  const calls: Renamed[] = []
  const blocks = content.flatMap((block): ModelBlock[] => {
    if (!KNOWN.includes(block.type) && !/_tool_result$/.test(block.type)) return []
    if (block.type === 'thinking') return block.signature && isWellFormed(block.thinking) ? [block] : []
    if (block.type === 'redacted_thinking') return block.data ? [block] : []
    if (block.type === 'text') return isBlank(block.text) ? [] : [clean(block)]
    if (block.type !== 'tool_use') return [clean(block)]
    const id = freeId(block.id, used)
    used.add(id)
    calls.push({ id, was: block.id })
    return [{ ...clean(block), id, name: callName(block.name), input: isObject(block.input) ? clean(block.input) : {} }]
  })
  const last = blocks.findLastIndex(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
  return { content: last < 0 ? [NOTHING] : blocks.slice(0, last + 1), calls }
}

/**
 * Pure. A message of the user as the API takes it after an answer with these calls.
 * @param calls of the answer before it: each gets one result, and they come first
 */
export function sendableInput(content: readonly ModelBlock[], calls: readonly Renamed[]): ModelBlock[] {
  const results = content.filter((block) => block.type === 'tool_result')
  const first = calls.map(({ id, was }): ModelBlock => {
    const at = results.findIndex(({ tool_use_id }) => tool_use_id === was)
    const [result] = at < 0 ? [] : results.splice(at, 1)
    return result
      ? withFitContent({ ...result, tool_use_id: id })
      : { type: 'tool_result', tool_use_id: id, content: NO_RESULT, is_error: true }
  })
  const rest = content.flatMap((block): ModelBlock[] => {
    if (block.type === 'text') return isBlank(block.text) ? [] : [clean(block)]
    return block.type === 'image' ? [fitImage(block)] : []
  })
  return first.length + rest.length > 0 ? [...first, ...rest] : [NOTHING]
}

type Result = Extract<ModelBlock, { type: 'tool_result' }>
type Part = Extract<NonNullable<Result['content']>, readonly unknown[]>[number]
type Image = Extract<Part, { type: 'image' }>

function withFitContent(result: Result): Result {
  const { content } = result
  if (!Array.isArray(content))
    return clean({ ...result, ...(content === undefined || isBlank(content) ? { content: EMPTY } : {}) })
  const parts = content.flatMap((part): Part[] => {
    if (part.type === 'image') return result.is_error ? [] : [fitImage(part)]
    if (part.type !== 'text') return []
    return isBlank(part.text) ? [] : [clean(part)]
  })
  return { ...clean({ ...result, content: '' }), content: parts.length > 0 ? parts : [{ type: 'text', text: EMPTY }] }
}

const EMPTY = '(no output)'

function fitImage(image: Image) {
  const { source } = image
  if (source.type !== 'base64') return { type: 'text' as const, text: '(An image was here. It is left out.)' }
  const bytes = Buffer.from(source.data, 'base64')
  const problem = imageProblem(bytes)
  if (problem !== null) return { type: 'text' as const, text: `(An image was here. It is left out: it ${problem})` }
  const media_type = imageFacts(bytes)?.type ?? source.media_type
  return media_type === source.media_type ? image : { ...image, source: { ...source, media_type } }
}

/** The API takes several messages of the user for one. */
function joined(messages: readonly ModelMessage[]): ModelMessage[] {
  const result: ModelMessage[] = []
  for (const message of messages) {
    const last = result.at(-1)
    if (last?.role === 'user' && message.role === 'user')
      result[result.length - 1] = { role: 'user', content: [...blocksIn(last), ...blocksIn(message)] }
    else result.push(message)
  }
  return result
}

/** @returns the id, or the first free one of ours if it is taken or is no id */
function freeId(id: string, used: ReadonlySet<string>): string {
  if (/^[a-zA-Z0-9_-]{1,100}$/.test(id) && !used.has(id)) return id
  let number = used.size + 1
  while (used.has(`toolu_errand_${number}`)) number += 1
  return `toolu_errand_${number}`
}

function callName(name: string): string {
  return /^[a-zA-Z0-9_-]{1,128}$/.test(name) ? name : name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 128) || 'unnamed'
}

export function isBlank(text: string): boolean {
  return text.trim() === ''
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Of thinking, where another letter would break the signature. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

/** As JSON writes the half of a surrogate pair; a text that only speaks of one passes through `mapTexts` unchanged. */
const HALF = /\\ud[89a-f]/i

function clean<T>(value: T): T {
  return HALF.test(JSON.stringify(value)) ? (mapTexts(value) as T) : value
}

function mapTexts(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value)
  if (Array.isArray(value)) return value.map(mapTexts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wellFormed(key), mapTexts(inner)]))
}

export function blocksIn({ content }: ModelMessage): ModelBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}
