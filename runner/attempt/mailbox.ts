import type { SteerMessage } from '../../contract/wire/sandbox.ts'

/** Messages of one attempt on their way to its agent. A word, a renewal and the lease may each bring the same one; the agent gets it once. */
export type Mailbox = {
  put: (messages: readonly SteerMessage[]) => void
  /** The person took it back; too late is fine. */
  withdraw: (messageId: string) => void
  /** @returns false for what was never put in here, or is taken already */
  take: (messageId: string) => boolean
  /** What waits for the agent, the oldest first. */
  waiting: () => SteerMessage[]
}

export function createMailbox(messages: readonly SteerMessage[]): Mailbox {
  const waiting = new Map<string, SteerMessage>()
  const known = new Set<string>()
  const put: Mailbox['put'] = (some) => {
    for (const message of some) if (!known.has(message.messageId)) waiting.set(message.messageId, message)
    for (const { messageId } of some) known.add(messageId)
  }
  put(messages)
  return {
    put,
    withdraw: (messageId) => {
      known.add(messageId)
      waiting.delete(messageId)
    },
    take: (messageId) => waiting.delete(messageId),
    waiting: () => [...waiting.values()],
  }
}
