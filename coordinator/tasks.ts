import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { CreateTask, ListEvents, ListTasks, Task, TaskPage } from '../contract/api.ts'
import type { TaskEvent } from '../contract/event.ts'
import type { ArtifactKind } from '../contract/sandbox.ts'
import type { Artifacts } from './artifacts.ts'
import { cancelTask } from './cancel-task.ts'
import type { Config } from './config.ts'
import { createTask } from './create-task.ts'
import type { Dispatch } from './dispatch.ts'
import { Refusal } from './errors.ts'
import type { Ledger } from './ledger.ts'
import { findOwn } from './own-task.ts'
import type { SayToRunner } from './runner-words.ts'
import type { Store } from './store/database.ts'
import { listEvents } from './store/events.ts'
import { listTasks, type TaskRow, taskOf } from './store/tasks.ts'
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
  /** The history after `after`, in order; `more`: there are stored events beyond these. */
  events: (userId: string, taskId: string, query: ListEvents) => Promise<{ events: TaskEvent[]; lastSeq: number; more: boolean }>
  /** A waiting task is cancelled at once, a running one is told to stop. @throws Refusal `conflict` when it has ended */
  cancel: (userId: string, taskId: string) => Promise<Task>
  /** The newest attempt's patch. @throws Refusal `not_found` when there is none */
  patch: (userId: string, taskId: string) => Promise<Readable>
  /** The work that could not be pushed, as a git bundle. @throws Refusal `not_found` when there is none */
  bundle: (userId: string, taskId: string) => Promise<Readable>
}

export type TaskParts = {
  config: Config
  demoRepoUrl: string
  db: Store
  ledger: Ledger
  dispatch: Dispatch
  artifacts: Artifacts
  sayToRunner: SayToRunner
  log: Logger
}

export const createTasks = (parts: TaskParts): Tasks => {
  const { db } = parts
  const artifact = async (userId: string, taskId: string, kind: ArtifactKind): Promise<Readable> => {
    await findOwn(db, userId, taskId)
    const content = await parts.artifacts.open(taskId, kind)
    if (!content) throw new Refusal('not_found', `This task has no ${kind}: none was made, or not yet.`)
    return content
  }
  return {
    create: (user, input) => createTask(parts, user, input),
    find: async (userId, taskId) => taskOf(await findOwn(db, userId, taskId)),
    list: async (userId, query) => {
      const rows = await listTasks(db, userId, query, query.cursor === undefined ? null : readCursor(query.cursor))
      const last = rows.length === query.limit ? rows.at(-1) : undefined
      return { items: rows.map(taskOf), nextCursor: last ? cursorAfter(last) : null }
    },
    events: async (userId, taskId, { after, limit }) => {
      await findOwn(db, userId, taskId)
      const events = await listEvents(db, taskId, after, limit)
      // Read last, so that `more` misses nothing that was stored meanwhile.
      const lastSeq = (await findOwn(db, userId, taskId)).last_seq
      return { events, lastSeq, more: (events.at(-1)?.seq ?? after) < lastSeq }
    },
    cancel: (userId, taskId) => cancelTask(parts, userId, taskId),
    patch: (userId, taskId) => artifact(userId, taskId, 'patch'),
    bundle: (userId, taskId) => artifact(userId, taskId, 'bundle'),
  }
}

const cursorAfter = ({ created_at, id }: TaskRow): string => Buffer.from(`${created_at} ${id}`).toString('base64url')

const readCursor = (cursor: string): { createdAt: number; id: string } => {
  const [, createdAt, id] = /^(\d{1,16}) (tsk_[a-z2-7]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt === undefined || id === undefined)
    throw new Refusal('invalid', 'This cursor is not one of ours. Leave it out for the first page, then pass on `nextCursor`.')
  return { createdAt: Number(createdAt), id }
}
