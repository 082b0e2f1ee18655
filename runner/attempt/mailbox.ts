import type { Said } from '../../contract/wire/prompt.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'

/** Messages on their way to the agent of one attempt. A word, a renewal and the lease may each bring the same one; the agent gets it once. */
export type Mailbox = {
  put: (messages: readonly SteerMessage[]) => void
  /** Hands the waiting messages to the agent, the oldest first. Until one is delivered, the next call hands it out again. */
  handOut: () => SteerMessage[]
  /**
   * The model API took a request with these words of the person, in this order. A message of the turn that is among them is delivered,
   * whoever says what about it: the model has it.
   * @returns the ids of the messages that are delivered now, each once
   */
  deliver: (said: readonly Said[]) => string[]
  /** Those that the agent was handed and the model has not got, withdrawn ones too: the agent may have added them to its conversation. */
  undelivered: () => SteerMessage[]
  /** The person withdrew it, so it is not handed out again. If the agent was handed it before, it may still be delivered. */
  withdraw: (messageId: string) => void
}

type State = {
  /** The words that began the turn. */
  readonly prompt: string
  readonly entries: Map<string, Entry>
  readonly withdrawn: Set<string>
  /** How often each text was in the last request that the model API took, since the turn began. */
  inLast: ReadonlyMap<string, number>
}
type Entry = { readonly message: SteerMessage; isHandedOut: boolean; isDelivered: boolean }

/**
 * @param prompt the words that began the turn: a message of an earlier turn may have the same text as one of this turn
 * @param delivered ids of the messages that the model got from this attempt before this process began
 */
export function createMailbox(messages: readonly SteerMessage[], prompt: string, delivered: readonly string[] = []): Mailbox {
  const state: State = { prompt, entries: new Map(), withdrawn: new Set(), inLast: new Map() }
  const { entries, withdrawn } = state
  const put: Mailbox['put'] = (some) => {
    for (const message of some)
      if (!entries.has(message.messageId)) entries.set(message.messageId, { message, isHandedOut: false, isDelivered: false })
  }
  put(messages)
  for (const id of delivered) {
    const entry = entries.get(id)
    if (!entry) continue
    entry.isDelivered = true
    const { text } = entry.message
    state.inLast = new Map(state.inLast).set(text, (state.inLast.get(text) ?? 0) + 1)
  }
  return {
    put,
    handOut: () => {
      const waiting = [...entries.values()].filter(
        ({ message, isDelivered }) => !isDelivered && !withdrawn.has(message.messageId),
      )
      for (const entry of waiting) entry.isHandedOut = true
      return waiting.map(({ message }) => message)
    },
    deliver: (said) => deliver(state, said),
    undelivered: () =>
      [...entries.values()].filter((entry) => entry.isHandedOut && !entry.isDelivered).map(({ message }) => message),
    withdraw: (messageId) => void withdrawn.add(messageId),
  }
}

/**
 * Two messages may have the same text, so occurrences are counted: only one more than in the request before stands for another message. An
 * earlier attempt at the turn may have put a message into the stored conversation, from which this attempt continues without being handed
 * it again.
 */
function deliver(state: State, said: readonly Said[]): string[] {
  const { entries, withdrawn, inLast } = state
  const begun = said.findLastIndex(({ heading, text }) => heading !== 'steer' && text === state.prompt)
  const inThis = countTexts(said.slice(begun + 1))
  const fresh = new Map([...inThis].map(([text, count]) => [text, count - (inLast.get(text) ?? 0)]))
  state.inLast = inThis
  return [...entries.values()].flatMap((entry) => {
    const { messageId, text } = entry.message
    const left = fresh.get(text) ?? 0
    // Without the turn's beginning, as in a shortened conversation, the same text may be from an earlier turn.
    const isPossible = entry.isHandedOut || (begun >= 0 && !withdrawn.has(messageId))
    if (left <= 0 || entry.isDelivered || !isPossible) return []
    fresh.set(text, left - 1)
    entry.isDelivered = true
    return [messageId]
  })
}

function countTexts(said: readonly Said[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { heading, text } of said) if (heading === 'steer') counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}
