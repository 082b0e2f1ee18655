import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { z } from 'zod'
import { CreateTask } from '../../contract/api/api.ts'
import type { ErrorBody } from '../../contract/api/errors.ts'
import {
  type Answer,
  AppPing,
  AppState,
  CancelTask,
  type ClientToServer,
  MessageTask,
  PROTOCOL,
  UnwatchTask,
  WatchTask,
} from '../../contract/api/socket.ts'
import { Refusal, refusalOf } from '../process/errors.ts'
import type { User } from '../store/user.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { createSendHistory, type Reader, type Replays, type Rotation } from './replays.ts'

/** The parts of a socket that its events need. */
export type Connection = Reader & {
  id: string
  user: User
  /** From now on, the socket also gets the task's deltas. */
  watch: (taskId: string) => void
  unwatch: (taskId: string) => void
  /** Disconnects the client, so that it reconnects and asks again. */
  cut: () => void
}

type Parts = {
  connection: Connection
  tasks: Tasks
  replays: Replays
  pages: Rotation
  /** Counts a new task or message of a user. @throws Refusal `rate_limited` when there are too many */
  countNew: (userId: string) => Promise<void>
  presence: Presence
  log: Logger
}

/** Events that one client may send at once, and how many it earns back each second. */
const BURST = 100
const PER_SECOND = 20

/** Answers a client's events: parses every payload, acknowledges every event, and checks that every task belongs to the user. */
export function serveSocket(parts: Parts): ClientToServer {
  const { connection, tasks, replays, pages, countNew, presence } = parts
  const answer = createAnswer(parts)
  const sendHistory = createSendHistory({ reader: connection, tasks, replays, pages })
  return {
    'task:watch': answer(WatchTask, async ({ taskId, after }) => {
      const { lastSeq } = await tasks.find(connection.user.id, taskId)
      replays.admit(connection.id, taskId)
      connection.watch(taskId)
      const afterwards = async () => {
        const replay = replays.begin(connection.id, taskId, after)
        if (replay) await sendHistory(replay)
      }
      return { result: { lastSeq }, afterwards }
    }),
    'task:unwatch': answer(UnwatchTask, async ({ taskId }) => {
      connection.unwatch(taskId)
      replays.skip(connection.id, taskId)
      return { result: {} }
    }),
    'task:create': answer(CreateTask, async (input) => {
      await countNew(connection.user.id)
      const { task } = await tasks.create(connection.user, input)
      return { result: { task } }
    }),
    'task:cancel': answer(CancelTask, async ({ taskId }) => ({
      result: { task: await tasks.cancel(connection.user.id, taskId) },
    })),
    'task:message': answer(MessageTask, async ({ taskId, ...input }) => {
      await countNew(connection.user.id)
      const { message } = await tasks.send(connection.user.id, taskId, input)
      return { result: { message } }
    }),
    'app:state': answer(AppState, async (state) => {
      presence.set(connection.id, connection.user.id, state)
      return { result: {} }
    }),
    'app:ping': answer(AppPing, async () => ({ result: { protocol: PROTOCOL } })),
  }
}

type Reply<T> = { result: T; afterwards?: () => Promise<void> }

function createAnswer({ connection, log }: Parts) {
  let allowance = BURST
  let countedAt = performance.now()
  const checkRate = () => {
    const now = performance.now()
    allowance = Math.min(BURST, allowance + ((now - countedAt) / 1_000) * PER_SECOND)
    countedAt = now
    if (allowance < 1) throw new Refusal('rate_limited', 'Too many messages on this connection. Wait a second.')
    allowance -= 1
  }
  const reply = async <I, T>(
    schema: z.ZodType<I>,
    handle: (input: I) => Promise<Reply<T>>,
    payload: unknown,
  ): Promise<Reply<Answer<T>>> => {
    try {
      checkRate()
      const { result, afterwards } = await handle(schema.parse(payload))
      return { result: { ok: true, ...result }, ...(afterwards && { afterwards }) }
    } catch (error) {
      return { result: { ok: false, error: describe(error, log) } }
    }
  }
  return <I, T>(schema: z.ZodType<I>, handle: (input: I) => Promise<Reply<T>>) =>
    (payload: unknown, acknowledge: unknown): void => {
      reply(schema, handle, payload)
        .then(({ result, afterwards }) => {
          if (typeof acknowledge === 'function') acknowledge(result)
          return afterwards?.()
        })
        .catch((error) => {
          log.error({ event: 'socket.failed', userId: connection.user.id, err: error })
          connection.cut()
        })
    }
}

/** The part of an error that a client may see, as over HTTP. The request id finds the rest in the log. */
function describe(error: unknown, log: Logger): ErrorBody {
  const requestId = randomUUID()
  const { code, message, details } = refusalOf(error)
  if (code === 'internal' || code === 'unavailable') log.error({ event: 'socket.error', requestId, code, err: error })
  return { code, message, requestId, ...(details === undefined ? {} : { details }) }
}

/** What people look at, as their open sockets reported last. Only the app reports it: the socket of a program counts for nobody. */
export type Presence = {
  set: (socketId: string, userId: string, state: z.output<typeof AppState>) => void
  /** The socket is gone. */
  forget: (socketId: string) => void
  /** @returns whether this user looks at this task on any device */
  isInFront: (userId: string, taskId: string) => boolean
}

export function createPresence(): Presence {
  const looking = new Map<string, { userId: string; taskId: string }>()
  return {
    set: (socketId, userId, { active, taskId }) => {
      if (active && taskId !== null) looking.set(socketId, { userId, taskId })
      else looking.delete(socketId)
    },
    forget: (socketId) => void looking.delete(socketId),
    isInFront: (userId, taskId) => [...looking.values()].some((look) => look.userId === userId && look.taskId === taskId),
  }
}
