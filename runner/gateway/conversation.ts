import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import { isAway } from '../lease/coordinator-client.ts'
import { answer, answerJson, type Endpoint } from './endpoint.ts'
import { refuseEffect } from './fence.ts'

/** The person's messages to the running turn, as the agent may ask for them. */
export type MessagesToAgent = {
  /** Those that are not delivered yet. */
  handOut: () => SteerMessage[]
  /** Those that it was handed and the model has not got. */
  undelivered: () => SteerMessage[]
}

export type ConversationOptions = {
  messages: MessagesToAgent
  /** @returns null when no earlier turn left one */
  openTranscript: () => Promise<Readable | null>
  log: Logger
}

/** The user's messages to the running turn (`GET /messages`), and the transcript of the turns before it (`GET /transcript`). */
export function serveConversation({ messages, openTranscript, log }: ConversationOptions): Endpoint {
  return async ({ request, response, path, query }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Use GET here.')
    if (path === DOOR_PATHS.messages)
      return answerJson(response, query === 'handed-out' ? messages.undelivered() : messages.handOut())
    let transcript: Readable | null
    try {
      transcript = await openTranscript()
    } catch (error) {
      log.warn({ event: 'transcript.unavailable', err: error })
      if (isAway(error)) return refuseEffect(response, 'unconfirmed')
      return answer(response, 502, 'The transcript is not available right now. Try again.')
    }
    if (transcript === null) return answer(response, 404, 'No earlier turn left a transcript.')
    response.writeHead(200, { 'content-type': 'application/json' })
    await pipeline(transcript, response)
  }
}
