import { Console } from 'node:console'
import Anthropic from '@anthropic-ai/sdk'
import { MODEL_SILENCE_MS } from '../../contract/wire/deadlines.ts'

export type ModelEvent = Anthropic.RawMessageStreamEvent
export type ModelRequest = Omit<Anthropic.MessageCreateParamsStreaming, 'stream'>
export type ModelMessage = Anthropic.MessageParam
export type ModelBlock = Anthropic.ContentBlockParam

/** Makes one call, without retries, and yields the events of its answer. If the signal aborts, they simply end: check the signal. */
export type ModelClient = (
  request: ModelRequest,
  options: {
    signal: AbortSignal
    /** Called for every piece that arrives; pings count, although they are no events. */
    onBytes: () => void
  },
) => Promise<AsyncIterable<ModelEvent>>

/**
 * @param url of the door's model API, without `/v1`
 * @param headersTimeoutMs until the answer begins; the SDK's own bound, above that of the watchdog
 */
export function createModelClient({
  url,
  token,
  headersTimeoutMs = MODEL_SILENCE_MS,
}: {
  url: string
  token: string
  headersTimeoutMs?: number
}): ModelClient {
  const base = {
    baseURL: url,
    // Always given: without it the SDK looks for credentials in files and variables.
    apiKey: token,
    // The SDK's own retry knows neither our budget nor our clock, and does not notice a stream that breaks.
    maxRetries: 0,
    timeout: headersTimeoutMs,
    // Standard output belongs to the voice.
    logger: new Console(process.stderr),
    openTelemetry: false,
  } as const
  return async (request, { signal, onBytes }) => {
    const client = new Anthropic({ ...base, fetch: heard(onBytes) })
    return client.messages.create({ ...request, stream: true }, { signal })
  }
}

function heard(onBytes: () => void) {
  return async (input: string | URL | Request, init?: RequestInit) => {
    const response = await fetch(input, init)
    if (!response.body) return response
    onBytes()
    const tap = new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        onBytes()
        controller.enqueue(bytes)
      },
    })
    return new Response(response.body.pipeThrough(tap), response)
  }
}
