import type { ModelBlock, ModelMessage, ModelRequest } from '../model/model-client.ts'
import { type KeptTranscript, repaired } from './kept-transcript.ts'

/**
 * The conversation as the model API gets it. It only ever grows at its end: thinking blocks are bound to every byte before them, and the
 * API refuses them when something there has changed. System text and tools are frozen, and so is every turn once it is in.
 */
export type Transcript = {
  /** @returns the request with everything so far */
  request: (maxTokens: number) => ModelRequest
  /** What the prompt amounts to, for the estimate of its cost: bytes of its JSON without images, and how many images. */
  size: () => { bytes: number; images: number }
  /** The model's turn, exactly as it came. */
  addAssistant: (content: readonly ModelBlock[]) => void
  /** One user message: all results of the turn in their order, then any words of ours. */
  addUser: (content: readonly ModelBlock[]) => void
  /** What makes it up, for whoever goes on with it. */
  parts: () => Pick<KeptTranscript, 'model' | 'system' | 'tools' | 'messages'>
  /** Last resort when the API holds the earlier thinking for changed. */
  stripThinking: () => void
}

export type TranscriptOptions = {
  model: string
  effort: 'low' | 'medium' | 'high'
  system: string
  tools: ReadonlyArray<{ name: string; description: string; input_schema: Record<string, unknown>; strict: true }>
  /** What this one goes on from: its bytes come first, and its system text and tools stay. */
  before: KeptTranscript | null
  first: readonly string[]
}

export function createTranscript({ model, effort, system, tools, before, first }: TranscriptOptions): Transcript {
  let messages: ModelMessage[] = []
  const fixed = {
    model,
    // One mark here, for everything that never changes; the one that moves is the API's own, below.
    system: before?.system ?? [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
    tools: before?.tools ?? tools.map((tool) => ({ ...tool, input_schema: { ...tool.input_schema, type: 'object' as const } })),
    // Not "omitted", in which the text between tool calls stays empty.
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort },
    cache_control: { type: 'ephemeral' },
  } satisfies Partial<ModelRequest>
  const request = (maxTokens: number): ModelRequest => ({ ...fixed, max_tokens: maxTokens, messages })
  const addUser = (content: readonly ModelBlock[]) => {
    const last = messages.at(-1)
    // The API takes no two messages of one side in a row for what they are. No answer stands behind the last one yet, so it may grow.
    const joined = last?.role === 'user'
    const said = joined ? blocksIn(last) : []
    messages = [...(joined ? messages.slice(0, -1) : messages), { role: 'user', content: [...said, ...content] }]
  }
  const stripThinking = () => {
    messages = messages.map((message) =>
      message.role === 'assistant' ? { role: 'assistant', content: withoutThinking(message.content) } : message,
    )
  }
  messages = repaired(before?.messages ?? [])
  // Thinking is bound to the model that thought it.
  if (before && before.model !== model) stripThinking()
  addUser(first.map((text) => ({ type: 'text', text })))
  return {
    request,
    parts: () => ({ model, system: fixed.system, tools: fixed.tools, messages }),
    size: () => {
      const images = messages.flatMap(blocksIn).flatMap(imagesIn)
      const imageBytes = images.reduce((sum, data) => sum + data.length, 0)
      return { bytes: Buffer.byteLength(JSON.stringify(request(0))) - imageBytes, images: images.length }
    },
    addAssistant: (content) => {
      messages = [
        ...messages,
        { role: 'assistant', content: content.length > 0 ? [...content] : [{ type: 'text', text: '(nothing)' }] },
      ]
    },
    addUser,
    stripThinking,
  }
}

function withoutThinking(content: ModelMessage['content']): ModelMessage['content'] {
  if (typeof content === 'string') return content
  const rest = content.filter(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
  return rest.length > 0 ? rest : [{ type: 'text', text: '(nothing)' }]
}

function blocksIn({ content }: ModelMessage): ModelBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function imagesIn(block: ModelBlock): string[] {
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return []
  return block.content.flatMap((part) => (part.type === 'image' && part.source.type === 'base64' ? [part.source.data] : []))
}
