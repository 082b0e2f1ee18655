import { isDeepStrictEqual } from 'node:util'
import type { Effort } from '../../contract/shared/models.ts'
import type { Answer } from '../model/model-answer.ts'
import type { ModelBlock, ModelMessage, ModelRequest } from '../model/model-client.ts'
import type { RequestSize } from './context-size.ts'
import { CACHE_MARK, withSlidingMark } from './fit/cache-marks.ts'
import { withinImageRule } from './fit/many-images.ts'
import { blocksIn, type Renamed, sendable, sendableAnswer, sendableInput } from './fit/sendable.ts'
import { withShortResults } from './fit/short-results.ts'
import type { StoredTranscript } from './stored-transcript.ts'

/**
 * The conversation as the model API gets it. It only grows at its end: thinking blocks are bound to every byte before them, and the API
 * refuses them if a byte has changed. System text and tools are frozen, and so is every message that has an answer.
 */
export type Transcript = {
  /** @returns the request with everything so far */
  request: (maxTokens: number) => ModelRequest
  /** The size of the prompt, for the estimates of its cost and its tokens. */
  size: () => RequestSize
  /** Adds an answer of the model, without what the API would refuse. @returns it as it was added, its calls under ids of their own */
  addAnswer: (answer: Answer) => Answer
  /** Extends the last user message if the model has not answered it yet. */
  addUser: (content: readonly ModelBlock[]) => void
  /**
   * Cuts the results of calls in the last user message to their first words, and drops its images, if the model has not read them yet.
   * @returns whether that made it shorter
   */
  shortenResults: () => boolean
  /** Drops all messages for one of the user: the conversation is a fresh one, with the same system text and tools. */
  beginAnew: (first: readonly string[]) => void
  /** Everything that the next turn needs to continue it. */
  parts: () => Pick<StoredTranscript, 'model' | 'system' | 'tools' | 'messages'>
  /** The last resort if the API refuses the earlier thinking as changed. */
  stripThinking: () => void
  /** Changes what has an answer already: thinking behind the first change goes, because it is bound to what was there. */
  rewrite: (changed: readonly ModelMessage[]) => void
}

export type TranscriptOptions = {
  model: string
  effort: Effort
  system: string
  tools: ReadonlyArray<{ name: string; description: string; input_schema: Record<string, unknown>; strict: true }>
  /** The transcript that this one continues: its messages come first, as far as the API takes them. */
  before: StoredTranscript | null
  first: readonly string[]
}

/** With "omitted" the text between tool calls stays empty. */
const THINKING = { type: 'adaptive', display: 'summarized' } as const

export function createTranscript({ model, effort, system, tools, before, first }: TranscriptOptions): Transcript {
  let messages: ModelMessage[] = []
  const fixed = {
    model,
    system: [{ type: 'text', text: system, ...CACHE_MARK }],
    tools: tools.map((tool) => ({ ...tool, input_schema: { ...tool.input_schema, type: 'object' as const } })),
    thinking: THINKING,
    output_config: { effort },
    ...CACHE_MARK,
  } satisfies Partial<ModelRequest>
  const request = (maxTokens: number): ModelRequest => ({
    ...fixed,
    max_tokens: maxTokens,
    messages: withSlidingMark(messages),
  })
  const rewrite = (changed: readonly ModelMessage[]) => {
    const first = changed.findIndex((message, index) => !isDeepStrictEqual(message, messages[index]))
    messages = changed.map((message, index) => (first >= 0 && index > first ? withoutThinking(message) : message))
  }
  const addUser = (content: readonly ModelBlock[]) => {
    const last = messages.at(-1)
    // The API merges two user messages in a row, which would change the bytes. The last one has no answer yet, so it may grow.
    const joined = last?.role === 'user'
    const before = joined ? messages.slice(0, -1) : messages
    const blocks = sendableInput([...(joined ? blocksIn(last) : []), ...content], callsIn(before.at(-1)))
    messages = [...before, { role: 'user', content: blocks }]
    const fitted = withinImageRule(messages)
    if (fitted !== messages) rewrite(fitted)
  }
  const stripThinking = () => {
    messages = messages.map(withoutThinking)
  }
  messages = [...(before?.messages ?? [])]
  rewrite(sendable(messages))
  if (before && isBoundElsewhere(before, fixed)) stripThinking()
  addUser(first.map((text) => ({ type: 'text', text })))
  return {
    request,
    parts: () => ({ model, system: fixed.system, tools: fixed.tools, messages }),
    size: () => sizeOf(request(0)),
    shortenResults: () => {
      const shorter = withShortResults(messages)
      messages = shorter ?? messages
      return shorter !== null
    },
    beginAnew: (texts) => {
      messages = []
      addUser(texts.map((text) => ({ type: 'text', text })))
    },
    addAnswer: (answer) => {
      const used = new Set(messages.flatMap(callsIn).map(({ id }) => id))
      const { content, calls } = sendableAnswer(answer.content, used)
      messages = [...messages, { role: 'assistant', content }]
      return { ...answer, content, calls: answer.calls.map((call, index) => ({ ...call, id: calls[index]?.id ?? call.id })) }
    },
    addUser,
    stripThinking,
    rewrite,
  }
}

/** Asked for several times in each step, of a conversation of megabytes: a message never changes, and is measured once. */
function sizeOf({ messages, ...rest }: ModelRequest): RequestSize {
  const sizes = messages.map(sizeOfMessage)
  const sum = (what: keyof RequestSize) => sizes.reduce((total, size) => total + size[what], 0)
  const around = Buffer.byteLength(JSON.stringify({ ...rest, messages: [] })) + Math.max(0, messages.length - 1)
  return { bytes: around + sum('bytes'), images: sum('images'), imageBytes: sum('imageBytes') }
}

function sizeOfMessage(message: ModelMessage): RequestSize {
  const known = SIZES.get(message)
  if (known) return known
  const images = blocksIn(message).flatMap(imagesIn)
  const imageBytes = images.reduce((sum, data) => sum + data.length, 0)
  const size = { bytes: Buffer.byteLength(JSON.stringify(message)) - imageBytes, images: images.length, imageBytes }
  SIZES.set(message, size)
  return size
}
const SIZES = new WeakMap<ModelMessage, RequestSize>()

/** Thinking is bound to the model that thought it, and to the system text and tools that it knew. */
function isBoundElsewhere(before: StoredTranscript, now: Pick<StoredTranscript, 'model' | 'system' | 'tools'>): boolean {
  const bound = ({ model, system, tools }: typeof now) => ({ model, system, tools })
  return !isDeepStrictEqual(JSON.parse(JSON.stringify(bound(before))), JSON.parse(JSON.stringify(bound(now))))
}

function withoutThinking(message: ModelMessage): ModelMessage {
  if (message.role !== 'assistant' || typeof message.content === 'string') return message
  const rest = message.content.filter(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
  return { role: 'assistant', content: rest.length > 0 ? rest : [{ type: 'text', text: '(nothing)' }] }
}

function callsIn(message: ModelMessage | undefined): Renamed[] {
  if (message?.role !== 'assistant') return []
  return blocksIn(message).flatMap((block) => (block.type === 'tool_use' ? [{ id: block.id, was: block.id }] : []))
}

function imagesIn(block: ModelBlock): string[] {
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return []
  return block.content.flatMap((part) => (part.type === 'image' && part.source.type === 'base64' ? [part.source.data] : []))
}

/** @returns the request with a question at the end of its last user message, which stays unanswered in the conversation itself */
export function withQuestion(request: ModelRequest, question: string): ModelRequest {
  const last = request.messages.at(-1)
  const block: ModelBlock = { type: 'text', text: question }
  return last?.role === 'user'
    ? { ...request, messages: [...request.messages.slice(0, -1), { role: 'user', content: [...blocksIn(last), block] }] }
    : { ...request, messages: [...request.messages, { role: 'user', content: [block] }] }
}
