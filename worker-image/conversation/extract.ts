import type { ModelBlock, ModelMessage } from '../model/model-client.ts'

const MOST_CHARS = 32_000
const TEXT_CHARS = 3_000
const INPUT_CHARS = 300
const RESULT_CHARS = 300
/** The newest results may be what the model is about to need. */
const NEWEST_RESULTS = 3
const NEWEST_CHARS = 4_000

/**
 * Pure. A summary that needs no model: what the model wrote, which calls it made and how they ended, the newest in full and the oldest left
 * out. For a conversation that the model itself can no longer summarise.
 * @returns null if the model has done nothing yet
 */
export function extractOf(messages: readonly ModelMessage[]): string | null {
  const blocks = messages.flatMap(({ role, content }) => blocksOf(content).map((block) => ({ role, block })))
  const results = blocks.filter(({ block }) => block.type === 'tool_result')
  const newest = new Set(results.slice(-NEWEST_RESULTS).map(({ block }) => block))
  const entries = blocks.flatMap(({ role, block }) => entryOf(role, block, newest.has(block) ? NEWEST_CHARS : RESULT_CHARS))
  if (entries.length === 0) return null
  let chars = 0
  const kept =
    entries.findLastIndex((entry) => {
      chars += entry.length + 1
      return chars > MOST_CHARS
    }) + 1
  const gap = kept === 0 ? [] : [`(${kept} earlier entries are left out)`]
  return [
    'An extract of your work so far, made without a model. The oldest outputs are left out.',
    ...gap,
    ...entries.slice(kept),
  ].join('\n')
}

function blocksOf(content: ModelMessage['content']): ModelBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function entryOf(role: string, block: ModelBlock, resultChars: number): string[] {
  if (block.type === 'text' && role === 'assistant') return [`You wrote: ${middleCut(block.text, TEXT_CHARS)}`]
  if (block.type === 'tool_use') return [`You called ${block.name} ${middleCut(JSON.stringify(block.input), INPUT_CHARS)}`]
  if (block.type === 'tool_result')
    return [`→ ${block.is_error ? 'error: ' : ''}${middleCut(textOf(block.content), resultChars)}`]
  return []
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (part.type === 'text' ? part.text : '(an image)')).join('\n')
}

/** Cuts between whole characters. */
function middleCut(text: string, most: number): string {
  if (text.length <= most) return text
  const head = text.slice(0, most * 0.3).replace(/[\ud800-\udbff]$/, '')
  const tail = text.slice(text.length - most * 0.7).replace(/^[\udc00-\udfff]/, '')
  return `${head} […] ${tail}`
}
