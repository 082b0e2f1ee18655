import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Call } from '../endpoint.ts'
import { openEventStream } from './event-stream.ts'
import { openJsonMeter, openStreamMeter, type Reading } from './usage-meter.ts'

const CUT = 'The connection to the model API was lost in the middle of the answer.'

/**
 * Passes an answer's body on as it comes, and reads its cost beside it. When the model API goes away in the middle, a stream of events
 * ends with an `error` event and any other body with a broken connection: never as if it were whole.
 */
export async function relayAnswer(found: IncomingMessage, call: Call): Promise<Reading> {
  const events = found.headers['content-type']?.startsWith('text/event-stream') ? openEventStream() : null
  const meter = events ? openStreamMeter() : openJsonMeter()
  const pass = async (bytes: Buffer) => {
    if (bytes.length === 0) return
    meter.take(bytes)
    if (!call.response.write(bytes)) await once(call.response, 'drain', { signal: call.gone })
  }
  try {
    for await (const chunk of found) await pass(events ? events.take(chunk) : chunk)
    if (events) await pass(events.rest())
    call.response.end()
  } catch {
    // The caller has left, or the model API has: what is to be said about either is said in the answer itself, and in its cost.
    found.destroy()
    if (events && !call.gone.aborted) call.response.end(events.lastWords(CUT))
    else call.response.destroy()
    return { ...meter.reading(), whole: events ? meter.reading().whole : false }
  }
  return meter.reading()
}
