import * as z from 'zod'

/** Where a task stands. A new turn takes an ended task back to `pending`. */
export const TaskStatus = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled'])
export type TaskStatus = z.infer<typeof TaskStatus>

/**
 * How an attempt ended. `failed` is the task's fault and is not tried again; `interrupted` is ours (a lost runner, a failed pull,
 * a full disk) and is retried without using up the user's tries.
 */
export const Outcome = z.enum(['completed', 'failed', 'cancelled', 'interrupted'])
export type Outcome = z.infer<typeof Outcome>

/** `restore`: the first start on a restored backup. */
export type Mover = 'user' | 'lease' | 'attempt' | 'reconciler' | 'restore'

/** Who may make which move. The store refuses every other move. */
export const MOVES: ReadonlyArray<{ from: TaskStatus; to: TaskStatus; by: readonly Mover[] }> = [
  { from: 'pending', to: 'running', by: ['lease'] },
  { from: 'pending', to: 'cancelled', by: ['user'] },
  { from: 'pending', to: 'failed', by: ['restore'] },
  { from: 'running', to: 'completed', by: ['attempt'] },
  { from: 'running', to: 'failed', by: ['attempt', 'reconciler', 'restore'] },
  { from: 'running', to: 'cancelled', by: ['attempt', 'reconciler', 'restore'] },
  { from: 'running', to: 'pending', by: ['attempt', 'reconciler'] },
  { from: 'completed', to: 'pending', by: ['user'] },
  { from: 'failed', to: 'pending', by: ['user'] },
  { from: 'cancelled', to: 'pending', by: ['user'] },
]

/** @returns whether `by` may take a task from `from` to `to` */
export function mayMove(from: TaskStatus, to: TaskStatus, by: Mover): boolean {
  return MOVES.some((move) => move.from === from && move.to === to && move.by.includes(by))
}

/** @returns whether nothing more happens to the task until a person asks for it */
export function isEnded(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled'
}

/** How many runners may interrupt one turn before the task ends as `abandoned`. Each runner counts once. */
export const MAX_INTERRUPTIONS = 10
/** How many attempts of one turn may be interrupted on any number of runners: a task that brings down each runner must end too. */
export const MAX_INTERRUPTED_ATTEMPTS = 30
