import { parseJson } from '../../../contract/shared/json.ts'
import { ApiUsage } from '../../../contract/shared/models.ts'

/** What is known of an answer's cost from its bytes. */
export type Reading = {
  /** Null: not reported yet. */
  usage: ApiUsage | null
  /** The answer is complete (`message_stop`, or a whole JSON body), so `usage` is final. */
  whole: boolean
  /** The model API itself reported in the stream that the call failed. */
  failed: boolean
  /** UTF-8 bytes that the model wrote, as far as this runner saw them. */
  writtenBytes: number
  /** A usage came that no call can have, such as a negative one. */
  doubtful?: boolean
  /** How long text and calls passed here as they were written, milliseconds: in that time nothing was written unseen. */
  visibleMs?: number
}

export type Meter = { take: (bytes: Buffer) => void; reading: () => Reading }

/** Nothing has come yet. */
export const NOTHING_READ: Reading = Object.freeze({ usage: null, whole: false, failed: false, writtenBytes: 0 })

/**
 * Reads usage from the whole lines of a passing stream. `message_delta` counts from the beginning of the message: its numbers replace those
 * of `message_start`.
 */
export function createStreamMeter(now: () => number = () => performance.now()): Meter {
  const reading: Reading = { ...NOTHING_READ }
  /** Whether the last word on the output came. Until then the number is that of the beginning. */
  let counted = false
  let visibleSince: number | null = null
  const take = (value: unknown): ApiUsage => {
    const usage = usageOf(value)
    if (value !== undefined && value !== null && !usage) reading.doubtful = true
    return usage ?? {}
  }
  const read = (event: StreamEvent) => {
    if (event.type === 'message_start' && event.message?.usage) reading.usage = take(event.message.usage)
    if (event.type === 'message_delta' && event.usage) {
      const usage = withoutNulls(take(event.usage))
      counted ||= usage.output_tokens !== undefined
      reading.usage = { ...reading.usage, ...usage }
    }
    if (event.type === 'message_stop') {
      reading.whole = true
      if (!counted) reading.usage = { ...reading.usage, output_tokens: null }
    }
    if (event.type === 'error') reading.failed = true
    if (event.type === 'content_block_start') visibleSince = isVisible(event.content_block) ? now() : null
    if (event.type === 'content_block_stop') visibleSince = null
    if (event.type === 'content_block_delta') {
      for (const text of [event.delta?.text, event.delta?.thinking, event.delta?.partial_json])
        if (typeof text === 'string') reading.writtenBytes += Buffer.byteLength(text)
      if (visibleSince === null) return
      reading.visibleMs = (reading.visibleMs ?? 0) + now() - visibleSince
      visibleSince = now()
    }
  }
  return {
    take: (lines) => {
      for (const line of lines.toString('utf8').split('\n')) {
        if (!line.startsWith('data:')) continue
        // The meter ignores what is not JSON: the client gets the bytes unchanged, and an answer without usage is charged as one that was
        // cut.
        const event = parseJson(line.slice('data:'.length))
        if (isObject(event)) read(event as StreamEvent)
      }
    },
    reading: () => reading,
  }
}

/** Thinking is streamed as a summary, if at all; text and calls are streamed as they are written. */
function isVisible(block: unknown): boolean {
  return isObject(block) && (block.type === 'text' || block.type === 'tool_use')
}

/** Reads usage from an answer that is one JSON body. */
export function createJsonMeter(): Meter {
  const chunks: Buffer[] = []
  return {
    take: (bytes) => void chunks.push(bytes),
    reading: () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const message = parseJson(text)
      // Anything else is no answer of the model API, but of something in between.
      const isMessage = isObject(message) && ('usage' in message || message.type === 'message')
      const usage = isMessage ? usageOf(message.usage) : null
      const doubtful = isMessage && !usage && isObject(message.usage)
      return { usage, whole: isMessage, failed: false, writtenBytes: Buffer.byteLength(text), ...(doubtful && { doubtful }) }
    },
  }
}

type StreamEvent = {
  type?: unknown
  message?: { usage?: unknown }
  usage?: unknown
  content_block?: unknown
  delta?: { text?: unknown; thinking?: unknown; partial_json?: unknown }
}

function usageOf(value: unknown): ApiUsage | null {
  return ApiUsage.safeParse(value).data ?? null
}

function withoutNulls(usage: ApiUsage): ApiUsage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
