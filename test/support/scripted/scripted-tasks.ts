import { Readable } from 'node:stream'
import type { CreateTask, Message, SendMessage, Task } from '../../../contract/api/api.ts'
import { Refusal } from '../../../coordinator/process/errors.ts'
import type { Tasks } from '../../../coordinator/tasks/tasks.ts'

type Stored = {
  tasks: Array<{ userId: string; clientId: string | undefined; task: Task }>
  messages: Message[]
}

/** Tasks that are only stored, by owner, and never worked on. A prompt `explode` is an error of ours. */
export function scriptedTasks(): Tasks {
  const stored: Stored = { tasks: [], messages: [] }
  const find = (userId: string, taskId: string): Task => findOwnTask(stored, userId, taskId)
  return {
    create: async (user, input) => create(stored, user.id, input),
    find: async (userId, taskId) => find(userId, taskId),
    list: async (userId) => ({
      items: stored.tasks.filter((item) => item.userId === userId).map(({ task }) => task),
      nextCursor: null,
    }),
    events: async (userId, taskId) => ({ events: [], lastSeq: find(userId, taskId).lastSeq, more: false }),
    change: async (userId, taskId) => find(userId, taskId),
    cancel: async (userId, taskId) => find(userId, taskId),
    send: async (userId, taskId, input) => send(stored, find(userId, taskId).id, input),
    messages: async (userId, taskId) => stored.messages.filter((message) => message.taskId === find(userId, taskId).id),
    withdraw: async (userId, taskId, messageId) => {
      find(userId, taskId)
      return withdraw(stored, messageId)
    },
    remove: async (userId, taskId) => {
      const { id } = find(userId, taskId)
      stored.tasks = stored.tasks.filter(({ task }) => task.id !== id)
    },
    retry: async (userId, taskId) => find(userId, taskId),
    changes: async (userId, taskId, turn) => {
      find(userId, taskId)
      return { turn: turn ?? null, files: [], truncated: false, source: null, commit: null }
    },
    output: async (userId, taskId, callId) => {
      find(userId, taskId)
      if (callId === 'toolu_1') return import.meta.filename
      throw new Refusal('not_found', 'The full output was not kept; this is all there is.')
    },
    patch: async (userId, taskId) => {
      find(userId, taskId)
      return Readable.from(['diff --git a/ä b/ä\n'])
    },
    bundle: async (userId, taskId) => {
      find(userId, taskId)
      return Readable.from([Buffer.from([0, 255, 1])])
    },
  }
}

function findOwnTask({ tasks }: Stored, userId: string, taskId: string): Task {
  const found = tasks.find((item) => item.userId === userId && item.task.id === taskId)
  if (!found) throw new Refusal('not_found', 'You have no task with this id.')
  return found.task
}

function create({ tasks }: Stored, userId: string, { prompt, repoUrl, clientId }: CreateTask) {
  if (prompt === 'explode') throw new Error('secret detail: /var/lib/errand')
  const again = tasks.find((item) => item.userId === userId && item.clientId && item.clientId === clientId)
  if (again) return { task: again.task, created: false }
  const task = newTask(`tsk_${tasks.length + 1}`, repoUrl, prompt)
  tasks.unshift({ userId, clientId, task })
  return { task, created: true }
}

function send({ messages }: Stored, taskId: string, { text, mode, clientId }: SendMessage) {
  const again = messages.find((message) => message.taskId === taskId && message.clientId === clientId)
  if (again) return { message: again, created: false }
  const id = `msg_${messages.length + 1}`
  const message = { id, taskId, clientId, text, mode, state: 'waiting', turn: null, createdAt: AT } as const
  messages.push(message)
  return { message, created: true }
}

function withdraw({ messages }: Stored, messageId: string): Message {
  const found = messages.find(({ id }) => id === messageId)
  if (!found) throw new Refusal('not_found', 'This task has no such message.')
  found.state = 'withdrawn'
  return found
}

const AT = '2026-11-21T08:00:00.000Z'

function newTask(id: string, repoUrl: string, prompt: string): Task {
  return {
    id,
    status: 'pending',
    reason: 'queued',
    reasonText: 'Waiting in the queue.',
    repoUrl,
    baseBranch: null,
    branch: `errand/${id}/work`,
    prompt,
    model: 'claude-opus-5-5',
    effort: null,
    budgetUsd: 5,
    demo: true,
    turn: 1,
    waitingUntil: null,
    queuePosition: null,
    diff: null,
    attempt: 0,
    lastSeq: 1,
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 },
    pullRequestUrl: null,
    createdAt: AT,
    startedAt: null,
    completedAt: null,
    error: null,
  }
}
