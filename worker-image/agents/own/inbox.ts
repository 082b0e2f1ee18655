import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import type { Door } from '../../door/door.ts'
import type { Voice } from '../../door/voice.ts'
import type { Log } from '../../process/log.ts'

/** The messages that the person sends while the agent works. */
export type Inbox = {
  /** @returns the messages that the conversation does not have yet; none when the door does not answer */
  read: () => Promise<SteerMessage[]>
  /** Reports messages as delivered, once each. Call it when they are in the conversation and the conversation is on disk. */
  confirm: (messages: readonly SteerMessage[]) => void
}

type Parts = {
  door: Pick<Door, 'messages'>
  voice: Voice
  log: Log
  turn: number
  /** Whether the conversation already has the message: an earlier attempt may have added it and lost the report. */
  isKnown: (messageId: string) => boolean
}

export function createInbox({ door, voice, log, turn, isKnown }: Parts): Inbox {
  const confirmed = new Set<string>()
  const confirm: Inbox['confirm'] = (messages) => {
    for (const { messageId } of messages) {
      if (confirmed.has(messageId)) continue
      confirmed.add(messageId)
      voice.emit({ type: 'message.delivered', data: { messageId, turn } })
    }
  }
  return {
    confirm,
    read: async () => {
      try {
        const waiting = await door.messages()
        confirm(waiting.filter(({ messageId }) => isKnown(messageId)))
        return waiting.filter(({ messageId }) => !isKnown(messageId))
      } catch (error) {
        // They stay at the gateway until the next question.
        log('inbox.unavailable', { message: String(error) })
        return []
      }
    },
  }
}
