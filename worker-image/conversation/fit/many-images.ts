import type { ModelBlock, ModelMessage } from '../../model/model-client.ts'
import { imageFacts, MANY_IMAGES, SHRINK } from '../../tools/reading/image.ts'
import { blocksIn } from './sendable.ts'

type Result = Extract<ModelBlock, { type: 'tool_result' }>
type Part = Exclude<NonNullable<Result['content']>, string>[number]

/**
 * Pure. The API takes large images only in a request with few of them. When a conversation has more, its large ones are replaced by words.
 * @returns the same list if nothing has to go
 */
export function withinImageRule(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const images = messages
    .flatMap(blocksIn)
    .flatMap(partsOf)
    .filter(({ type }) => type === 'image')
  if (images.length <= MANY_IMAGES.more || !images.some((part) => largeSize(part) !== null)) return messages
  return messages.map((message) =>
    blocksIn(message).some((block) => partsOf(block).some((part) => largeSize(part) !== null))
      ? ({ ...message, content: blocksIn(message).map(withoutLarge) } as ModelMessage)
      : message,
  )
}

function withoutLarge(block: ModelBlock): ModelBlock {
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return block
  return {
    ...block,
    content: block.content.map((part): Part => {
      const size = largeSize(part)
      return size === null ? part : { type: 'text', text: wordsFor(size) }
    }),
  }
}

function wordsFor(size: string): string {
  const { more, pixels } = MANY_IMAGES
  return `(An image of ${size} pixels was here. It is left out: with more than ${more} images in a conversation, each may have at most ${pixels} a side. To see it again: ${SHRINK})`
}

function partsOf(block: ModelBlock): Part[] {
  return block.type === 'tool_result' && Array.isArray(block.content) ? [...block.content] : []
}

/** @returns the size of an image that is too large to be one of many; null for any other part */
function largeSize(part: Part): string | null {
  if (part.type !== 'image' || part.source.type !== 'base64') return null
  const facts = imageFacts(Buffer.from(part.source.data, 'base64'))
  return facts && Math.max(facts.width, facts.height) > MANY_IMAGES.pixels ? `${facts.width} × ${facts.height}` : null
}
