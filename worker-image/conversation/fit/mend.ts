import { cutText } from '../../../contract/shared/characters.ts'
import { unheaded } from '../../../contract/wire/prompt.ts'
import type { ModelBlock, ModelMessage } from '../../model/model-client.ts'
import { blocksIn, sendable } from './sendable.ts'

/** A block of a conversation, or one part of a result; `block: null` for a whole message. */
export type Place = { message: number; block: number | null; part: number | null }

const OURS = '(Errand: '

/**
 * Pure. Where an error of the API says that the fault is, as in `messages.3.content.1.tool_result.content.0: …`.
 * @returns null if it names no place, or one that is not in the conversation
 */
export function placeNamed(error: string, messages: readonly ModelMessage[]): Place | null {
  const found = /\bmessages\.(\d+)(?:\.content\.(\d+)(?:\.(?:tool_result\.)?content\.(\d+))?)?/.exec(error)
  if (!found) return null
  const [message = 0, block = null, part = null] = found.slice(1).map((digits) => (digits === undefined ? null : Number(digits)))
  const place: Place = { message: message ?? 0, block, part }
  return blocksAt(messages, place).length > 0 ? place : null
}

/** Pure. @returns whether the block is a sentence of ours already, or thinking, so that there is nothing to replace */
export function isReplaced(messages: readonly ModelMessage[], place: Place): boolean {
  return blocksAt(messages, place).every(
    (block) => block.type === 'thinking' || block.type === 'redacted_thinking' || JSON.stringify(block).includes(`"${OURS}`),
  )
}

/** Pure. @returns whether the place is thinking, or a message that has some */
export function isThinkingAt(messages: readonly ModelMessage[], place: Place): boolean {
  return blocksAt(messages, place).some(({ type }) => type === 'thinking' || type === 'redacted_thinking')
}

/**
 * Pure. The blocks that the API has not accepted yet: those since the last answer, and that answer. The likeliest come first: images, then
 * what tools brought, then the rest, and the person's own words last.
 */
export function newPlaces(messages: readonly ModelMessage[]): Place[] {
  const from = Math.max(
    0,
    messages.findLastIndex(({ role }) => role === 'assistant'),
  )
  const places = messages
    .slice(from)
    .flatMap((message, index) =>
      blocksIn(message).map((block, at) => ({ place: { message: from + index, block: at, part: null }, rank: rankOf(block) })),
    )
  return places
    .filter(({ rank }) => rank < THINKING)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ place }) => place)
}

const THINKING = 5

function rankOf(block: ModelBlock): number {
  if (block.type === 'thinking' || block.type === 'redacted_thinking') return THINKING
  if (block.type === 'tool_result') return JSON.stringify(block.content ?? '').includes('"type":"image"') ? 0 : 1
  return block.type === 'text' ? (unheaded(block.text) ? 4 : 2) : 3
}

/** Pure. Replaces blocks by a sentence that says what was there and why it went. A call that goes takes its result with it. */
export function withoutPlaces(messages: readonly ModelMessage[], places: readonly Place[], error: string): ModelMessage[] {
  const changed = messages.map((message, index): ModelMessage => {
    const here = places.filter((place) => place.message === index)
    if (here.length === 0) return message
    const content = blocksIn(message).map((block, at) => {
      const [hit] = here.filter((place) => place.block === null || place.block === at)
      return hit ? replaced(block, hit.part, error) : block
    })
    return { ...message, content } as ModelMessage
  })
  return sendable(changed)
}

/** @returns what stood at the places, in words for a person */
export function namesOf(messages: readonly ModelMessage[], places: readonly Place[]): string {
  const names = places.flatMap((place) =>
    blocksAt(messages, place).map((block) =>
      place.part !== null && block.type === 'text' ? 'the result of a call' : nameOf(block),
    ),
  )
  return [...new Set(names)].join(' and ') || 'a part'
}

function replaced(block: ModelBlock, part: number | null, error: string): ModelBlock {
  const text = `${OURS}${nameOf(block)} was here. The model API refused it: ${cutText(error.replace(/\s+/g, ' '), 200)}. It is left out.)`
  if (block.type === 'thinking' || block.type === 'redacted_thinking') return block
  if (block.type !== 'tool_result') return { type: 'text', text }
  if (part === null || !Array.isArray(block.content)) return { ...block, content: [{ type: 'text', text }] }
  return { ...block, content: block.content.map((one, at) => (at === part ? { type: 'text', text } : one)) }
}

function nameOf(block: ModelBlock): string {
  if (block.type === 'image') return 'an image'
  if (block.type === 'tool_use') return 'a call of a tool'
  if (block.type !== 'tool_result') return block.type === 'text' && unheaded(block.text) ? 'a message of the person' : 'a text'
  return JSON.stringify(block.content ?? '').includes('"type":"image"') ? 'an image' : 'the result of a call'
}

function blocksAt(messages: readonly ModelMessage[], { message, block, part }: Place): ModelBlock[] {
  const found = messages[message]
  const blocks = found ? blocksIn(found) : []
  const [here] = block === null ? [] : blocks.slice(block, block + 1)
  if (block === null) return blocks
  if (!here || part === null) return here ? [here] : []
  return here.type === 'tool_result' && Array.isArray(here.content) ? (here.content.slice(part, part + 1) as ModelBlock[]) : []
}
