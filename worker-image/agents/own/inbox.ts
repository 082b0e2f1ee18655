import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { steerMessage } from '../../conversation/prompt.ts'
import type { Door } from '../../door/door.ts'
import type { Voice } from '../../door/voice.ts'
import type { ModelBlock } from '../../model/model-client.ts'
import type { Log } from '../../process/log.ts'

/** What the person says while the agent works. */
export type Inbox = {
  /** @returns what is new, to be put into the conversation at once; empty when nothing is, or the door does not answer */
  read: () => Promise<SteerMessage[]>
  /** Tells that they are in the conversation, once that is kept. */
  took: (messages: readonly SteerMessage[]) => void
}

type Parts = { door: Pick<Door, 'messages'>; voice: Voice; log: Log; turn: number; taken: Set<string> }

/** @param parts.taken ids that the conversation holds already: an earlier attempt got that far, and its word about it was lost */
export function createInbox({ door, voice, log, turn, taken }: Parts): Inbox {
  const told = new Set<string>()
  const took: Inbox['took'] = (messages) => {
    for (const { messageId } of messages) {
      if (told.has(messageId)) continue
      told.add(messageId)
      voice.say({ type: 'message.delivered', data: { messageId, turn } })
    }
  }
  return {
    took,
    read: async () => {
      try {
        const waiting = await door.messages()
        took(waiting.filter(({ messageId }) => taken.has(messageId)))
        const fresh = waiting.filter(({ messageId }) => !taken.has(messageId))
        for (const { messageId } of fresh) taken.add(messageId)
        return fresh
      } catch (error) {
        // They stay where they are, and are asked for again.
        log('inbox.unavailable', { message: String(error) })
        return []
      }
    },
  }
}

export function blocksOf(messages: readonly SteerMessage[]): ModelBlock[] {
  return messages.map(({ text }) => ({ type: 'text', text: steerMessage(text) }))
}
