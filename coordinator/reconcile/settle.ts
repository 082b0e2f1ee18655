import { isEnded, type TaskStatus } from '../../contract/api/status.ts'
import type { Turn } from '../queue/dispatch.ts'

export type Seen = {
  /** How long this coordinator has been up without a break, ms. */
  upMs: number
  leaseMs: number
  /** Turns that wait and were given to the queue. */
  released: readonly Turn[]
  /** Attempts whose lease ran out. */
  runOut: readonly { taskId: string; attempt: number }[]
  /** Turns that wait in the queue, with what the store says of them; null when Redis is away. */
  queued: readonly (Turn & { task: { turn: number; status: TaskStatus } | null })[] | null
}

export type Settlement = {
  /** Attempts to end as interrupted. */
  interrupt: Seen['runOut']
  /** Turns whose job must be there. */
  restore: readonly Turn[]
  /** Turns whose job must not wait any more. */
  withdraw: readonly Turn[]
}

/**
 * What is to be done where store and queue disagree; the store is right. Leases are not judged until every runner had the time to
 * renew: after a pause of our own, a lease that ran out says nothing about its runner.
 */
export function settle({ upMs, leaseMs, released, runOut, queued }: Seen): Settlement {
  const isQueued = new Set(queued?.map(({ taskId, turn }) => `${taskId} ${turn}`))
  return {
    interrupt: upMs < leaseMs ? [] : runOut,
    restore: queued === null ? [] : released.filter(({ taskId, turn }) => !isQueued.has(`${taskId} ${turn}`)),
    withdraw: queued?.filter(({ turn, task }) => !task || task.turn !== turn || isEnded(task.status)) ?? [],
  }
}
