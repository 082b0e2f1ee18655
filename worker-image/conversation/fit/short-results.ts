import { cutText } from '../../../contract/shared/characters.ts'
import type { ModelBlock, ModelMessage } from '../../model/model-client.ts'

/** A result that is cut to so little still says whether the call succeeded. */
const SHORT_CHARS = 400
const CUT = '\n[… cut: the budget is nearly used up …]'

/**
 * Pure. Cuts the results of calls in the last user message to their first words and drops its images. The model has not read it yet, so
 * nothing is bound to its bytes.
 * @returns null if that makes nothing shorter
 */
export function withShortResults(messages: readonly ModelMessage[]): ModelMessage[] | null {
  const last = messages.at(-1)
  if (last?.role !== 'user' || typeof last.content === 'string') return null
  const content = last.content.map(shortened)
  const isShorter = JSON.stringify(content).length < JSON.stringify(last.content).length
  return isShorter ? [...messages.slice(0, -1), { role: 'user', content }] : null
}

function shortened(block: ModelBlock): ModelBlock {
  if (block.type !== 'tool_result') return block
  const text = typeof block.content === 'string' ? block.content : textIn(block.content ?? [])
  return { ...block, content: cutText(text, SHORT_CHARS, CUT) || '(nothing)' }
}

function textIn(parts: readonly object[]): string {
  return parts.flatMap((part) => ('text' in part && typeof part.text === 'string' ? [part.text] : [])).join('\n')
}
