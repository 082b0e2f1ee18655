import { isEnded, type TaskStatus } from '../../contract/api/status.ts'
import type { Turn } from '../queue/dispatch.ts'
import type { Released } from '../store/line.ts'

export type Seen = {
  /** How long this coordinator has run without a break, ms. */
  upMs: number
  leaseMs: number
  now: number
  /** Waiting turns that were given to the queue. */
  released: readonly Released[]
  /** Attempts whose leases ran out. */
  runOut: readonly { taskId: string; attempt: number }[]
  /** Turns that wait in the queue, with their tasks from the store; null when Redis is away. */
  queued: readonly Queued[] | null
}

type Queued = Turn & {
  pauses: boolean
  task: { turn: number; status: TaskStatus; waiting_until: number | null } | null
}

export type Settlement = {
  /** Attempts to end as interrupted. */
  interrupt: Seen['runOut']
  /** Turns whose jobs are missing. */
  restore: readonly Released[]
  /** Turns that still pause although their wait for the model is over: a person ended it, or the clocks of two hosts differ. */
  bringBack: readonly Turn[]
  /** Turns whose jobs must no longer wait. */
  withdraw: readonly Turn[]
}

/**
 * Decides what to do where store and queue disagree; the store is right. Leases are judged only once every runner has had time to renew:
 * after a pause of our own, a lease that ran out proves nothing about its runner.
 */
export function settle({ now, upMs, leaseMs, released, runOut, queued }: Seen): Settlement {
  const isQueued = new Set(queued?.map(({ taskId, turn }) => `${taskId} ${turn}`))
  return {
    interrupt: upMs < leaseMs ? [] : runOut,
    restore: queued === null ? [] : released.filter(({ taskId, turn }) => !isQueued.has(`${taskId} ${turn}`)),
    bringBack: queued?.filter(({ pauses, turn, task }) => pauses && task?.turn === turn && isOverdue(task, now)) ?? [],
    withdraw: queued?.filter(({ turn, task }) => !task || task.turn !== turn || isEnded(task.status)) ?? [],
  }
}

/** The queue itself brings a turn back in less time than this. */
const OVERDUE_MS = 1_000

function isOverdue({ waiting_until }: { waiting_until: number | null }, now: number): boolean {
  return waiting_until !== null && waiting_until + OVERDUE_MS < now
}
