import type { ModelBlock, ModelMessage, ModelRequest } from './model-client.ts'

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
  /** Last resort when the API holds the earlier thinking for changed. */
  stripThinking: () => void
}

export type TranscriptOptions = {
  model: string
  effort: 'low' | 'medium' | 'high'
  system: string
  tools: ReadonlyArray<{ name: string; description: string; input_schema: Record<string, unknown>; strict: true }>
  first: readonly string[]
}

export const createTranscript = ({ model, effort, system, tools, first }: TranscriptOptions): Transcript => {
  let messages: ModelMessage[] = [{ role: 'user', content: first.map((text) => ({ type: 'text', text })) }]
  let imageBytes = 0
  let images = 0
  const fixed = {
    model,
    // One mark here, for everything that never changes; the one that moves is the API's own, below.
    system: [{ type: 'text', text: system, cache_control: { type: 'ephemeral' } }],
    tools: tools.map((tool) => ({ ...tool, input_schema: { ...tool.input_schema, type: 'object' as const } })),
    // Not "omitted", in which the text between tool calls stays empty.
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort },
    cache_control: { type: 'ephemeral' },
  } satisfies Partial<ModelRequest>
  const request = (maxTokens: number): ModelRequest => ({ ...fixed, max_tokens: maxTokens, messages })
  return {
    request,
    size: () => ({ bytes: Buffer.byteLength(JSON.stringify(request(0))) - imageBytes, images }),
    addAssistant: (content) => {
      messages = [
        ...messages,
        { role: 'assistant', content: content.length > 0 ? [...content] : [{ type: 'text', text: '(nothing)' }] },
      ]
    },
    addUser: (content) => {
      for (const data of content.flatMap(imagesIn)) {
        images += 1
        imageBytes += data.length
      }
      messages = [...messages, { role: 'user', content: [...content] }]
    },
    stripThinking: () => {
      messages = messages.map((message) =>
        message.role === 'assistant' ? { role: 'assistant', content: withoutThinking(message.content) } : message,
      )
    },
  }
}

const withoutThinking = (content: ModelMessage['content']): ModelMessage['content'] => {
  if (typeof content === 'string') return content
  const rest = content.filter(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
  return rest.length > 0 ? rest : [{ type: 'text', text: '(nothing)' }]
}

const imagesIn = (block: ModelBlock): string[] => {
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return []
  return block.content.flatMap((part) => (part.type === 'image' && part.source.type === 'base64' ? [part.source.data] : []))
}
