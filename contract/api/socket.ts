import { z } from 'zod'
import { type CreateTask, type Message, SendMessage, type Task } from './api.ts'
import { type ErrorBody, requestBody } from './errors.ts'
import type { Delta, TaskEvent } from './event.ts'

const TaskId = z.string().min(1).max(100)

export const WatchTask = requestBody({ taskId: TaskId, after: z.number().int().min(0).default(0) })
export const UnwatchTask = requestBody({ taskId: TaskId })
export const CancelTask = requestBody({ taskId: TaskId })
export const MessageTask = requestBody({ ...SendMessage.shape, taskId: TaskId })
export const AppState = requestBody({ active: z.boolean(), taskId: TaskId.nullable() })
export const AppPing = requestBody({})

/** Raised when a client of an older number can no longer follow; such an app says so and reloads. */
export const PROTOCOL = 1

/** Every client event is acknowledged with one of these. */
export type Answer<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody }
type Acknowledge<T> = (answer: Answer<T>) => void

export type ClientToServer = {
  /**
   * Answers `lastSeq`, then come the stored events after `after` and the live ones, in order. Asked again while they come, it goes back to
   * `after` where that is earlier. `rate_limited`: wait, and ask again.
   */
  'task:watch': (payload: z.input<typeof WatchTask>, acknowledge: Acknowledge<{ lastSeq: number }>) => void
  /** Ends the deltas, and the stored events that are still to come. */
  'task:unwatch': (payload: z.input<typeof UnwatchTask>, acknowledge: Acknowledge<object>) => void
  'task:create': (payload: CreateTask, acknowledge: Acknowledge<{ task: Task }>) => void
  'task:message': (payload: z.input<typeof MessageTask>, acknowledge: Acknowledge<{ message: Message }>) => void
  'task:cancel': (payload: z.input<typeof CancelTask>, acknowledge: Acknowledge<{ task: Task }>) => void
  /** What a person looks at on this device: a notification about a task that is in front stays quiet. */
  'app:state': (payload: z.input<typeof AppState>, acknowledge: Acknowledge<object>) => void
  /** Answers at once: whether the line still carries, after a phone's sleep. */
  'app:ping': (payload: z.input<typeof AppPing>, acknowledge: Acknowledge<{ protocol: number }>) => void
}

export type ServerToClient = {
  /** Durable; to every socket of the task's user. May come twice after a `task:watch`: drop what you have, by `seq`. */
  event: (event: TaskEvent) => void
  /** The summary, when it changed. */
  task: (task: Task) => void
  /** Volatile; to those who watch the task. */
  delta: (delta: Delta) => void
}
