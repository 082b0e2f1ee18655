import type { Readable } from 'node:stream'
import type {
  ChangeTask,
  CreateTask,
  ListEvents,
  ListTasks,
  Message,
  RetryTask,
  SendMessage,
  Task,
  TaskPage,
} from '../../contract/api/api.ts'
import type { Changes } from '../../contract/api/changes.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { Refusal } from '../process/errors.ts'
import { listEvents } from '../store/events.ts'
import { listMessages, messageOf } from '../store/inbox.ts'
import { summariesOf, summaryOf } from '../store/summary.ts'
import { listTasks, type TaskRow } from '../store/tasks.ts'
import type { User } from '../store/user.ts'
import { cancelTask } from './cancel-task.ts'
import { changeTask } from './change-task.ts'
import { locateOutput, openBundle, openPatch, readChanges } from './changes.ts'
import { createTask } from './create-task.ts'
import { deleteTask } from './delete-task.ts'
import { findOwnTask, type TaskParts } from './parts.ts'
import { retryTask } from './retry-task.ts'
import { sendMessage } from './send-message.ts'
import { withdrawMessage } from './withdraw-message.ts'

/** What people can do with tasks. Another user's task is `not_found`. */
export type Tasks = {
  /**
   * Accepts a task: once this resolves it is never lost.
   * The same `clientId` gives the same task again (`created: false`).
   * @throws Refusal `invalid` for a repository that is not allowed, `conflict` when another task has the `clientId`,
   * `rate_limited` when too many tasks of the user wait or run
   */
  create: (user: User, input: CreateTask) => Promise<{ task: Task; created: boolean }>
  find: (userId: string, taskId: string) => Promise<Task>
  /** Newest first. @throws Refusal `invalid` for a cursor that is not ours */
  list: (userId: string, query: ListTasks) => Promise<TaskPage>
  /** The history after `after`, in order; `more`: the store has later events. @param bytes a page ends early once it is this long */
  events: (
    userId: string,
    taskId: string,
    query: ListEvents,
    bytes?: number,
  ) => Promise<{ events: TaskEvent[]; lastSeq: number; more: boolean }>
  /** Changes the budget. @throws Refusal `conflict` when the task has already cost more */
  change: (userId: string, taskId: string, input: ChangeTask) => Promise<Task>
  /** Cancels a waiting task at once, and asks the runner to stop a running one. @throws Refusal `conflict` when the task has ended */
  cancel: (userId: string, taskId: string) => Promise<Task>
  /**
   * Sends a message to a task; it is stored once this resolves. The same `clientId` is the same message (`created: false`).
   * @throws Refusal `conflict` when another message has the `clientId`, `rate_limited` when too many wait
   */
  send: (userId: string, taskId: string, input: SendMessage) => Promise<{ message: Message; created: boolean }>
  /** All messages of a task, in order. */
  messages: (userId: string, taskId: string) => Promise<Message[]>
  /** Withdraws a message that waits. @throws Refusal `conflict` when the agent has it */
  withdraw: (userId: string, taskId: string, messageId: string) => Promise<Message>
  /** Deletes an ended task for good. @throws Refusal `conflict` while it waits or runs */
  remove: (userId: string, taskId: string) => Promise<void>
  /** Runs the last turn again. @throws Refusal `conflict` while the task waits or runs */
  retry: (userId: string, taskId: string, input: RetryTask) => Promise<Task>
  /** The newest patch of the whole branch, or that of one turn. @throws Refusal `not_found` when there is none */
  patch: (userId: string, taskId: string, turn?: number) => Promise<Readable>
  /** The patch, file by file; no files when there is no patch yet. */
  changes: (userId: string, taskId: string, turn?: number) => Promise<Changes>
  /** Path of the file with the whole output of a tool call. @throws Refusal `not_found` when it was not kept */
  output: (userId: string, taskId: string, callId: string) => Promise<string>
  /** The work that could not be pushed, as a git bundle. @throws Refusal `not_found` when there is none */
  bundle: (userId: string, taskId: string) => Promise<Readable>
}

export function createTasks(parts: TaskParts): Tasks {
  const { db } = parts
  return {
    create: (user, input) => createTask(parts, user, input),
    find: async (userId, taskId) => summaryOf(db, await findOwnTask(db, userId, taskId)),
    list: async (userId, query) => {
      const rows = await listTasks(db, userId, query, query.cursor === undefined ? null : readCursor(query.cursor))
      const last = rows.length === query.limit ? rows.at(-1) : undefined
      return { items: await summariesOf(db, rows), nextCursor: last ? cursorAfter(last) : null }
    },
    events: async (userId, taskId, { after, limit }, bytes) => {
      await findOwnTask(db, userId, taskId)
      const events = await listEvents(db, taskId, after, limit, bytes)
      // Read last: events that were stored since then count as `more`.
      const lastSeq = (await findOwnTask(db, userId, taskId)).last_seq
      return { events, lastSeq, more: (events.at(-1)?.seq ?? after) < lastSeq }
    },
    change: (userId, taskId, input) => changeTask(parts, userId, taskId, input),
    cancel: (userId, taskId) => cancelTask(parts, userId, taskId),
    send: (userId, taskId, input) => sendMessage(parts, userId, taskId, input),
    messages: async (userId, taskId) => {
      await findOwnTask(db, userId, taskId)
      return (await listMessages(db, taskId)).map(messageOf)
    },
    withdraw: (userId, taskId, messageId) => withdrawMessage(parts, userId, taskId, messageId),
    remove: (userId, taskId) => deleteTask(parts, userId, taskId),
    retry: (userId, taskId, input) => retryTask(parts, userId, taskId, input),
    patch: (userId, taskId, turn) => openPatch(parts, userId, taskId, turn),
    changes: (userId, taskId, turn) => readChanges(parts, userId, taskId, turn),
    output: (userId, taskId, callId) => locateOutput(parts, userId, taskId, callId),
    bundle: (userId, taskId) => openBundle(parts, userId, taskId),
  }
}

function cursorAfter({ created_at, id }: TaskRow): string {
  return Buffer.from(`${created_at} ${id}`).toString('base64url')
}

function readCursor(cursor: string): { createdAt: number; id: string } {
  const [, createdAt, id] = /^(\d{1,16}) (tsk_[a-z2-7]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt === undefined || id === undefined)
    throw new Refusal('invalid', 'Unknown cursor. Leave it out for the first page, then pass on the `nextCursor` of each answer.')
  return { createdAt: Number(createdAt), id }
}
