import * as z from 'zod'
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

/** Raised when clients with a lower number can no longer work; an older app then asks for a reload. */
export const PROTOCOL = 1

/** Every client event is acknowledged with one of these. */
export type Answer<T> = ({ ok: true } & T) | { ok: false; error: ErrorBody }
type Acknowledge<T> = (answer: Answer<T>) => void

export type ClientToServer = {
  /**
   * Answers `lastSeq`. The stored events after `after` follow, then the live ones, in order. A second call meanwhile starts again from its
   * own `after` if that is earlier. On `rate_limited`, wait and call again.
   */
  'task:watch': (payload: z.input<typeof WatchTask>, acknowledge: Acknowledge<{ lastSeq: number }>) => void
  /** Ends the deltas and the stored events that have not been sent yet. */
  'task:unwatch': (payload: z.input<typeof UnwatchTask>, acknowledge: Acknowledge<object>) => void
  'task:create': (payload: CreateTask, acknowledge: Acknowledge<{ task: Task }>) => void
  'task:message': (payload: z.input<typeof MessageTask>, acknowledge: Acknowledge<{ message: Message }>) => void
  'task:cancel': (payload: z.input<typeof CancelTask>, acknowledge: Acknowledge<{ task: Task }>) => void
  /** The task that the person is looking at on this device; no notifications about it are sent. */
  'app:state': (payload: z.input<typeof AppState>, acknowledge: Acknowledge<object>) => void
  /** Answers at once. A phone that wakes up checks its connection with it. */
  'app:ping': (payload: z.input<typeof AppPing>, acknowledge: Acknowledge<{ protocol: number }>) => void
}

export type ServerToClient = {
  /** Durable; goes to every socket of the task's user. After a `task:watch` an event may come twice: drop the second by its `seq`. */
  event: (event: TaskEvent) => void
  /** The summary, after each change. */
  task: (task: Task) => void
  /** The task was deleted: forget it, and all that is kept of it. A client that was away gets `not_found` for it. */
  deleted: (task: { taskId: string }) => void
  /** Volatile; goes to the sockets that watch the task. */
  delta: (delta: Delta) => void
  /** The same for the output of a command that is still running, with its `callId`. Nothing of it is stored; the end of the call brings all. */
  output: (output: Delta) => void
}
