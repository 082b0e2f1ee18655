import type { ModelMessage } from '../../model/model-client.ts'

/**
 * Makes the API keep the prompt up to here for five minutes. A request has three: at the end of the system text, for everything that never
 * changes; on the whole request, which the API puts on its last block; and the one between them, below. Four are the most.
 */
export const CACHE_MARK = { cache_control: { type: 'ephemeral' } } as const

/**
 * Pure. Marks the end of the last user message that the model has answered. The API stored an entry there when that message was the last
 * one. From its mark at the end of the whole request it looks back over 20 blocks only, and one answer with ten calls is longer than that:
 * without this mark it would find nothing, and every token would be paid in full (docs.claude.com, "Prompt caching").
 *
 * A mark is no part of what thinking is bound to. The stored conversation has none.
 */
export function withSlidingMark(messages: readonly ModelMessage[]): ModelMessage[] {
  const answered = messages.findLastIndex(({ role }) => role === 'assistant')
  const at = messages.findLastIndex(({ role }, index) => role === 'user' && index < answered)
  return messages.map((message, index) => (index === at ? marked(message) : message))
}

function marked({ role, content }: ModelMessage): ModelMessage {
  if (typeof content === 'string') return { role, content: [{ type: 'text', text: content, ...CACHE_MARK }] } as ModelMessage
  return {
    role,
    content: content.map((block, index) => (index === content.length - 1 ? { ...block, ...CACHE_MARK } : block)),
  } as ModelMessage
}
