import type { Readable } from 'node:stream'
import type { CreateTask, ListEvents, ListTasks, Task, TaskPage } from '../contract/api.ts'
import type { TaskEvent } from '../contract/event.ts'
import type { User } from './user.ts'

/** What people can do with tasks. Whoever asks for somebody else's task is told `not_found`. */
export type Tasks = {
  /**
   * Accepts a task: once this resolves it is never lost.
   * The same `clientId` gives the same task again (`created: false`).
   * @throws Refusal `invalid` for a repository that is not allowed, `conflict` when the `clientId` was used for something else,
   * `rate_limited` when too many tasks of the user wait or run
   */
  create: (user: User, input: CreateTask) => Promise<{ task: Task; created: boolean }>
  find: (userId: string, taskId: string) => Promise<Task>
  /** Newest first. @throws Refusal `invalid` for a cursor that is not ours */
  list: (userId: string, query: ListTasks) => Promise<TaskPage>
  events: (userId: string, taskId: string, query: ListEvents) => Promise<{ events: TaskEvent[]; lastSeq: number; more: boolean }>
  /** A waiting task is cancelled at once, a running one is told to stop. @throws Refusal `conflict` when it has ended */
  cancel: (userId: string, taskId: string) => Promise<Task>
  /** The newest attempt's patch. @throws Refusal `not_found` when there is none */
  patch: (userId: string, taskId: string) => Promise<Readable>
  /** The work that could not be pushed, as a git bundle. @throws Refusal `not_found` when there is none */
  bundle: (userId: string, taskId: string) => Promise<Readable>
}
