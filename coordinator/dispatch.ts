import type { Queue } from 'bullmq'

/** Hands waiting tasks to runners. The store is the truth; what BullMQ holds can be made anew at any moment. */
export type Dispatch = {
  /** For Bull Board alone. */
  queue: Queue
  /** Something changed: look whether a task can be released. Never throws and does not wait. */
  nudge: () => void
  /** Takes a turn out of the queue, if no runner has it yet. */
  withdraw: (taskId: string, turn: number) => Promise<void>
  isReady: () => boolean
  stop: () => Promise<void>
}
