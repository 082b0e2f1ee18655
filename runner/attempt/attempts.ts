import type { RunnerWord } from '../../contract/wire/river.ts'
import type { SteerMessage } from '../../contract/wire/sandbox.ts'
import type { KeptLease } from '../lease/renewals.ts'
import type { Delivery } from '../river/delivery.ts'
import type { StopSwitch } from './stop-switch.ts'

/** One attempt that this process works on, with everything that others use to reach it. */
export type RunningAttempt = {
  taskId: string
  attempt: number
  /** The key that signs the coordinator's words about it. */
  signingKey: string
  /** Null: an earlier process ran it. Nothing of it runs any longer; only its events are still delivered. */
  lease: KeptLease | null
  mailbox: Mailbox
  /** Null until its spool is open. */
  delivery: Delivery | null
  /** Null without a lease. */
  stop: StopSwitch | null
}

/** Every attempt of this process: renewals, words from the coordinator, the sweep and the close all read this one list. */
export type Attempts = {
  add: (attempt: RunningAttempt) => void
  remove: (attempt: RunningAttempt) => void
  list: () => RunningAttempt[]
  find: (taskId: string, attempt: number) => RunningAttempt | undefined
  /** Obeys the coordinator's word about one of them. A word about any other attempt comes too late and is ignored. */
  heed: (taskId: string, attempt: number, word: RunnerWord) => void
  /** Counts work on an attempt, from its job to the answer to the queue, or from its spool to the last acknowledgement. */
  track: <T>(work: Promise<T>) => Promise<T>
  /** Resolves when all of that work is done. */
  idle: () => Promise<void>
}

export function createAttempts(): Attempts {
  const known = new Map<string, RunningAttempt>()
  const works = new Set<Promise<unknown>>()
  return {
    add: (one) => void known.set(keyOf(one.taskId, one.attempt), one),
    remove: (one) => void known.delete(keyOf(one.taskId, one.attempt)),
    list: () => [...known.values()],
    find: (taskId, attempt) => known.get(keyOf(taskId, attempt)),
    heed: (taskId, attempt, word) => {
      const one = known.get(keyOf(taskId, attempt))
      if (one) heedWord(one, word)
    },
    track: (work) => {
      works.add(work)
      return work.finally(() => works.delete(work))
    },
    idle: async () => {
      while (works.size > 0) await Promise.allSettled(works)
    },
  }
}

function heedWord({ delivery, mailbox, stop }: RunningAttempt, word: RunnerWord): void {
  if (word.type === 'acknowledged') delivery?.acknowledge(word.n)
  else if (word.type === 'cancel') stop?.because('cancelled')
  else if (word.type === 'message') mailbox.put([word.message])
  else if (word.type === 'withdraw') mailbox.withdraw(word.messageId)
  else {
    delivery?.acknowledge(word.n)
    stop?.because('lost')
  }
}

function keyOf(taskId: string, attempt: number): string {
  return `${taskId}/${attempt}`
}

/** Messages on their way to the agent of one attempt. A word, a renewal and the lease may each bring the same one; the agent gets it once. */
export type Mailbox = {
  put: (messages: readonly SteerMessage[]) => void
  /** Hands the waiting messages to the agent, the oldest first. Until it takes one, the next call hands it out again. */
  handOut: () => SteerMessage[]
  /**
   * The agent has added it to its conversation.
   * @returns false for a message that was never handed out or was already taken
   */
  take: (messageId: string) => boolean
  /** The person withdrew it, so it is not handed out again. If the agent was handed it before, the agent may still take it. */
  withdraw: (messageId: string) => void
}

export function createMailbox(messages: readonly SteerMessage[]): Mailbox {
  const waiting = new Map<string, SteerMessage>()
  const known = new Set<string>()
  const handedOut = new Set<string>()
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
    handOut: () => {
      for (const messageId of waiting.keys()) handedOut.add(messageId)
      return [...waiting.values()]
    },
    take: (messageId) => {
      if (!handedOut.delete(messageId)) return false
      waiting.delete(messageId)
      return true
    },
  }
}
