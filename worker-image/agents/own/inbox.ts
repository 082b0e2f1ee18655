import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import type { Door } from '../../door/door.ts'
import type { Log } from '../../process/log.ts'

/** The messages that the person sends while the agent works. The gateway sees which of them reach the model, and reports those. */
export type Inbox = {
  /** @returns the messages that the conversation does not have yet; none when the door does not answer */
  read: () => Promise<SteerMessage[]>
}

type Parts = {
  door: Pick<Door, 'messages'>
  log: Log
  /** Whether the conversation already has the message: an earlier attempt may have added it. */
  isKnown: (messageId: string) => boolean
}

export function createInbox({ door, log, isKnown }: Parts): Inbox {
  return {
    read: async () => {
      try {
        return (await door.messages()).filter(({ messageId }) => !isKnown(messageId))
      } catch (error) {
        // They stay at the gateway until the next question.
        log('inbox.unavailable', { message: String(error) })
        return []
      }
    },
  }
}
