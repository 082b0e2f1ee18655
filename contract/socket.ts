import { z } from 'zod'
import type { CreateTask, Task } from './api.ts'
import type { ErrorBody } from './errors.ts'
import type { Delta, TaskEvent } from './event.ts'

const TaskId = z.string().min(1).max(100)

export const WatchTask = z.object({ taskId: TaskId, after: z.number().int().min(0).default(0) })
export const UnwatchTask = z.object({ taskId: TaskId })
export const CancelTask = z.object({ taskId: TaskId })

/** Every client event is acknowledged with one of these. */
export type Answer<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody }
type Acknowledge<T> = (answer: Answer<T>) => void

export type ClientToServer = {
  /** Answers `lastSeq`, then come the stored events after `after` and the live ones, in order. */
  'task:watch': (payload: z.input<typeof WatchTask>, acknowledge: Acknowledge<{ lastSeq: number }>) => void
  'task:unwatch': (payload: z.input<typeof UnwatchTask>, acknowledge: Acknowledge<object>) => void
  'task:create': (payload: CreateTask, acknowledge: Acknowledge<{ task: Task }>) => void
  /** Answers `not_implemented`: a task takes no messages yet. */
  'task:message': (payload: unknown, acknowledge: Acknowledge<object>) => void
  'task:cancel': (payload: z.input<typeof CancelTask>, acknowledge: Acknowledge<{ task: Task }>) => void
}

export type ServerToClient = {
  /** Durable; to every socket of the task's user. May come twice after a `task:watch`: drop what you have, by `seq`. */
  event: (event: TaskEvent) => void
  /** The summary, when it changed. */
  task: (task: Task) => void
  /** Volatile; to those who watch the task. */
  delta: (delta: Delta) => void
}
