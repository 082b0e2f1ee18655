import type { RunnerWord } from '../../contract/wire/river.ts'
import type { KeptLease } from '../lease/renewals.ts'
import type { Delivery } from '../river/delivery.ts'
import { proveHolder } from '../river/signatures.ts'
import type { Allowance } from './allowance.ts'
import type { Mailbox } from './mailbox.ts'
import type { StopSwitch } from './stop-switch.ts'

/** One attempt that this process works on, with everything that others use to reach it. */
export type RunningAttempt = {
  taskId: string
  attempt: number
  /** The key that signs the coordinator's words about it. */
  signingKey: string
  /** Null: an earlier process ran it. Its lease is being asked for, or only its events are still delivered. */
  lease: KeptLease | null
  /** Whether its sandbox is kept. */
  hasSandbox: boolean
  mailbox: Mailbox
  /** Absent: no lease says what it may spend. */
  allowance?: Allowance
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
  /** The proof that this runner holds the lease of one of them, for the coordinator; undefined for any other. */
  proofOf: (taskId: string, attempt: number) => string | undefined
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
    remove: (one) => {
      const key = keyOf(one.taskId, one.attempt)
      if (known.get(key) === one) known.delete(key)
    },
    list: () => [...known.values()],
    find: (taskId, attempt) => known.get(keyOf(taskId, attempt)),
    proofOf: (taskId, attempt) => {
      const one = known.get(keyOf(taskId, attempt))
      return one && proveHolder(one.signingKey, taskId, attempt)
    },
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

function heedWord({ allowance, delivery, mailbox, stop }: RunningAttempt, word: RunnerWord): void {
  if (word.type === 'acknowledged') delivery?.acknowledge(word.n)
  else if (word.type === 'budget') allowance?.ofTask(word.taskBudgetUsd)
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
