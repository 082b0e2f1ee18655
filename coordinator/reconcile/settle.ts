import { isEnded, type TaskStatus } from '../../contract/api/status.ts'
import type { Turn } from '../queue/dispatch.ts'

export type Seen = {
  /** How long this coordinator has run without a break, ms. */
  upMs: number
  leaseMs: number
  /** Waiting turns that were given to the queue. */
  released: readonly Turn[]
  /** Attempts whose leases ran out. */
  runOut: readonly { taskId: string; attempt: number }[]
  /** Turns that wait in the queue, with their tasks from the store; null when Redis is away. */
  queued: readonly (Turn & { task: { turn: number; status: TaskStatus } | null })[] | null
}

export type Settlement = {
  /** Attempts to end as interrupted. */
  interrupt: Seen['runOut']
  /** Turns whose jobs are missing. */
  restore: readonly Turn[]
  /** Turns whose jobs must no longer wait. */
  withdraw: readonly Turn[]
}

/**
 * Decides what to do where store and queue disagree; the store is right. Leases are judged only once every runner has had time to renew:
 * after a pause of our own, a lease that ran out proves nothing about its runner.
 */
export function settle({ upMs, leaseMs, released, runOut, queued }: Seen): Settlement {
  const isQueued = new Set(queued?.map(({ taskId, turn }) => `${taskId} ${turn}`))
  return {
    interrupt: upMs < leaseMs ? [] : runOut,
    restore: queued === null ? [] : released.filter(({ taskId, turn }) => !isQueued.has(`${taskId} ${turn}`)),
    withdraw: queued?.filter(({ turn, task }) => !task || task.turn !== turn || isEnded(task.status)) ?? [],
  }
}
