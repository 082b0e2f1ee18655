import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import { isAway } from '../lease/coordinator-client.ts'
import { answer, type Room } from './endpoint.ts'
import { refuseEffect } from './fence.ts'

export type ConversationOptions = {
  /** Messages that the agent has not taken yet. */
  waitingMessages: () => SteerMessage[]
  /** @returns null when no earlier turn left one */
  openTranscript: () => Promise<Readable | null>
  log: Logger
}

/** What was said: `GET /messages`, to the running turn, and `GET /transcript`, up to it. */
export function serveConversation({ waitingMessages, openTranscript, log }: ConversationOptions): Room {
  return async ({ request, response, path }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Only GET is served here.')
    if (path === DOOR_PATHS.messages) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify(waitingMessages()))
    }
    const transcript = await openTranscript().catch((error: unknown) => {
      log.warn({ event: 'transcript.unavailable', err: error }, 'transcript.unavailable')
      return isAway(error) ? 'away' : undefined
    })
    if (transcript === 'away') return refuseEffect(response, 'unconfirmed')
    if (transcript === undefined) return answer(response, 502, 'The transcript cannot be had just now; try again.')
    if (transcript === null) return answer(response, 404, 'No earlier turn left a transcript.')
    response.writeHead(200, { 'content-type': 'application/json' })
    await pipeline(transcript, response)
  }
}
