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
}

export type Meter = { take: (bytes: Buffer) => void; reading: () => Reading }

/** Nothing has come yet. */
export const NOTHING_READ: Reading = Object.freeze({ usage: null, whole: false, failed: false, writtenBytes: 0 })

/**
 * Reads usage from the whole lines of a passing stream. `message_delta` counts from the beginning of the message: its numbers replace those
 * of `message_start`.
 */
export function createStreamMeter(): Meter {
  const reading: Reading = { ...NOTHING_READ }
  const read = (event: StreamEvent) => {
    if (event.type === 'message_start') reading.usage = usageOf(event.message?.usage) ?? reading.usage
    if (event.type === 'message_delta') reading.usage = { ...reading.usage, ...withoutNulls(usageOf(event.usage) ?? {}) }
    if (event.type === 'message_stop') reading.whole = true
    if (event.type === 'error') reading.failed = true
    if (event.type === 'content_block_delta')
      for (const text of [event.delta?.text, event.delta?.thinking, event.delta?.partial_json])
        if (typeof text === 'string') reading.writtenBytes += Buffer.byteLength(text)
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

/** Reads usage from an answer that is one JSON body. */
export function createJsonMeter(): Meter {
  const chunks: Buffer[] = []
  return {
    take: (bytes) => void chunks.push(bytes),
    reading: () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const message = parseJson(text)
      const usage = isObject(message) ? usageOf(message.usage) : null
      return { usage, whole: usage !== null, failed: false, writtenBytes: Buffer.byteLength(text) }
    },
  }
}

type StreamEvent = {
  type?: unknown
  message?: { usage?: unknown }
  usage?: unknown
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
