import type { ModelEvent } from './model-client.ts'
import { GarbledError } from './model-errors.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks that an event of the stream has the fields that its type has (docs.claude.com, "Streaming messages"): the SDK passes on whatever
 * came. Types that it does not know pass.
 * @throws GarbledError; without it, a missing field would be an accident of ours that looks like a broken connection
 */
export function checkShape(event: ModelEvent): void {
  if (!isObject(event) || !hasShape(event)) throw new GarbledError('an event of the model API lacks what its type needs')
}

function hasShape(event: Fields): boolean {
  const { type, index, message, delta, content_block: block } = event
  switch (type) {
    case 'message_start':
      return isObject(message)
    case 'content_block_start':
      return isIndex(index) && isObject(block) && isBlock(block)
    case 'content_block_delta':
      return isIndex(index) && isObject(delta) && isDelta(delta)
    case 'content_block_stop':
      return isIndex(index)
    case 'message_delta':
      return isObject(delta) && isText(delta.stop_reason ?? '')
    default:
      return isText(type)
  }
}

function isBlock({ type, id, name }: Fields): boolean {
  return isText(type) && (type !== 'tool_use' || (isText(id) && isText(name) && id !== '' && name !== ''))
}

function isDelta({ type, text, thinking, partial_json, signature }: Fields): boolean {
  const texts: Fields = { text_delta: text, thinking_delta: thinking, input_json_delta: partial_json, signature_delta: signature }
  return isText(type) && (!Object.hasOwn(texts, type) || isText(texts[type]))
}

function isIndex(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
