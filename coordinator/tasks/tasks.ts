import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Logger } from 'pino'
import type {
  Changes,
  CreateTask,
  ListEvents,
  ListTasks,
  Message,
  RetryTask,
  SendMessage,
  Task,
  TaskPage,
} from '../../contract/api/api.ts'
import type { TaskEvent } from '../../contract/api/event.ts'
import { ArtifactKind } from '../../contract/wire/sandbox.ts'
import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Config } from '../process/config.ts'
import { Refusal } from '../process/errors.ts'
import type { Dispatch } from '../queue/dispatch.ts'
import { listEvents } from '../store/events.ts'
import { listMessages, messageOf } from '../store/inbox.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Store } from '../store/sqlite/database.ts'
import { summariesOf, summaryOf } from '../store/summary.ts'
import { listTasks, type TaskRow } from '../store/tasks.ts'
import type { User } from '../store/user.ts'
import type { SayToRunner } from '../wire/runner-words.ts'
import { cancelTask } from './cancel-task.ts'
import { createTask } from './create-task.ts'
import { findOwn } from './own-task.ts'
import { parsePatch } from './parse-patch.ts'
import { retryTask } from './retry-task.ts'
import { sendMessage } from './send-message.ts'
import { withdrawMessage } from './withdraw-message.ts'

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
  /** The history after `after`, in order; `more`: there are stored events beyond these. @param bytes after which a page ends with fewer */
  events: (
    userId: string,
    taskId: string,
    query: ListEvents,
    bytes?: number,
  ) => Promise<{ events: TaskEvent[]; lastSeq: number; more: boolean }>
  /** A waiting task is cancelled at once, a running one is told to stop. @throws Refusal `conflict` when it has ended */
  cancel: (userId: string, taskId: string) => Promise<Task>
  /**
   * Says something to a task; kept before this resolves. The same `clientId` is the same message (`created: false`).
   * @throws Refusal `conflict` when the `clientId` was used for another text, `rate_limited` when too many wait
   */
  send: (userId: string, taskId: string, input: SendMessage) => Promise<{ message: Message; created: boolean }>
  /** Everything that was said to a task, in order. */
  messages: (userId: string, taskId: string) => Promise<Message[]>
  /** Takes back a message that waits. @throws Refusal `conflict` when the agent has it */
  withdraw: (userId: string, taskId: string, messageId: string) => Promise<Message>
  /** The last turn again. @throws Refusal `conflict` while the task goes on */
  retry: (userId: string, taskId: string, input: RetryTask) => Promise<Task>
  /** The newest patch of the whole branch, or what one turn changed. @throws Refusal `not_found` when there is none */
  patch: (userId: string, taskId: string, turn?: number) => Promise<Readable>
  /** The same, file by file; no files when there is no patch yet. */
  changes: (userId: string, taskId: string, turn?: number) => Promise<Changes>
  /** Path of the file with the whole output of a tool call. @throws Refusal `not_found` when no more is kept than was shown */
  output: (userId: string, taskId: string, callId: string) => Promise<string>
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

export function createTasks(parts: TaskParts): Tasks {
  const { db } = parts
  const artifact = async (userId: string, taskId: string, kind: ArtifactKind, turn?: number): Promise<Readable> => {
    await findOwn(db, userId, taskId)
    const content = await parts.artifacts.open(taskId, kind, turn)
    const whose = turn === undefined ? 'This task' : `Turn ${turn} of this task`
    if (!content) throw new Refusal('not_found', `${whose} has no ${kind}: none was made, or not yet.`)
    return content
  }
  const patch: Tasks['patch'] = (userId, taskId, turn) =>
    artifact(userId, taskId, turn === undefined ? 'patch' : 'turn-patch', turn)
  return {
    create: (user, input) => createTask(parts, user, input),
    find: async (userId, taskId) => summaryOf(db, await findOwn(db, userId, taskId)),
    list: async (userId, query) => {
      const rows = await listTasks(db, userId, query, query.cursor === undefined ? null : readCursor(query.cursor))
      const last = rows.length === query.limit ? rows.at(-1) : undefined
      return { items: await summariesOf(db, rows), nextCursor: last ? cursorAfter(last) : null }
    },
    events: async (userId, taskId, { after, limit }, bytes) => {
      await findOwn(db, userId, taskId)
      const events = await listEvents(db, taskId, after, limit, bytes)
      // Read last, so that `more` misses nothing that was stored meanwhile.
      const lastSeq = (await findOwn(db, userId, taskId)).last_seq
      return { events, lastSeq, more: (events.at(-1)?.seq ?? after) < lastSeq }
    },
    cancel: (userId, taskId) => cancelTask(parts, userId, taskId),
    send: (userId, taskId, input) => sendMessage(parts, userId, taskId, input),
    messages: async (userId, taskId) => {
      await findOwn(db, userId, taskId)
      return (await listMessages(db, taskId)).map(messageOf)
    },
    withdraw: (userId, taskId, messageId) => withdrawMessage(parts, userId, taskId, messageId),
    retry: (userId, taskId, input) => retryTask(parts, userId, taskId, input),
    patch,
    changes: async (userId, taskId, turn) => {
      const content = await patch(userId, taskId, turn).catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'not_found') return findOwn(db, userId, taskId).then(() => null)
        throw error
      })
      return { turn: turn ?? null, ...parsePatch(content ? await text(content) : '') }
    },
    output: async (userId, taskId, callId) => {
      await findOwn(db, userId, taskId)
      const kind = ArtifactKind.safeParse(`output.${callId}`)
      const path = kind.success ? await parts.artifacts.locate(taskId, kind.data) : null
      if (path === null) throw new Refusal('not_found', 'No more is kept of this output than what is shown.')
      return path
    },
    bundle: (userId, taskId) => artifact(userId, taskId, 'bundle'),
  }
}

function cursorAfter({ created_at, id }: TaskRow): string {
  return Buffer.from(`${created_at} ${id}`).toString('base64url')
}

function readCursor(cursor: string): { createdAt: number; id: string } {
  const [, createdAt, id] = /^(\d{1,16}) (tsk_[a-z2-7]{16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt === undefined || id === undefined)
    throw new Refusal('invalid', 'This cursor is not one of ours. Leave it out for the first page, then pass on `nextCursor`.')
  return { createdAt: Number(createdAt), id }
}
