import { Readable } from 'node:stream'
import type { Message, Task } from '../../../contract/api/api.ts'
import { Refusal } from '../../../coordinator/process/errors.ts'
import type { Tasks } from '../../../coordinator/tasks/tasks.ts'

/** Tasks that are only kept, by owner, and never worked on. A prompt `explode` is a fault of ours. */
export function scriptedTasks(): Tasks {
  const kept: Array<{ userId: string; clientId: string | undefined; task: Task }> = []
  const sent: Message[] = []
  const find = (userId: string, taskId: string): Task => {
    const found = kept.find((item) => item.userId === userId && item.task.id === taskId)
    if (!found) throw new Refusal('not_found', 'You have no task with this id.')
    return found.task
  }
  return {
    create: async (user, input) => {
      if (input.prompt === 'explode') throw new Error('secret detail: /var/lib/errand')
      const again = kept.find((item) => item.userId === user.id && item.clientId && item.clientId === input.clientId)
      if (again) return { task: again.task, created: false }
      const task = newTask(`tsk_${kept.length + 1}`, input.repoUrl, input.prompt)
      kept.unshift({ userId: user.id, clientId: input.clientId, task })
      return { task, created: true }
    },
    find: async (userId, taskId) => find(userId, taskId),
    list: async (userId) => ({ items: kept.filter((item) => item.userId === userId).map(({ task }) => task), nextCursor: null }),
    events: async (userId, taskId) => ({ events: [], lastSeq: find(userId, taskId).lastSeq, more: false }),
    cancel: async (userId, taskId) => find(userId, taskId),
    send: async (userId, taskId, { text, mode, clientId }) => {
      find(userId, taskId)
      const again = sent.find((message) => message.taskId === taskId && message.clientId === clientId)
      const created = {
        id: `msg_${sent.length + 1}`,
        taskId,
        clientId,
        text,
        mode,
        state: 'waiting',
        turn: null,
        createdAt: AT,
      } as const
      if (!again) sent.push(created)
      return { message: again ?? created, created: !again }
    },
    messages: async (userId, taskId) => sent.filter((message) => message.taskId === find(userId, taskId).id),
    withdraw: async (userId, taskId, messageId) => {
      find(userId, taskId)
      const found = sent.find(({ id }) => id === messageId)
      if (!found) throw new Refusal('not_found', 'There is no such message in this task.')
      found.state = 'withdrawn'
      return found
    },
    retry: async (userId, taskId) => find(userId, taskId),
    changes: async (userId, taskId, turn) => {
      find(userId, taskId)
      return { turn: turn ?? null, files: [], truncated: false }
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

const AT = '2026-11-21T08:00:00.000Z'

function newTask(id: string, repoUrl: string, prompt: string): Task {
  return {
    id,
    status: 'pending',
    reason: 'queued',
    reasonText: 'Waiting for its turn.',
    repoUrl,
    baseBranch: null,
    branch: `errand/${id}/work`,
    prompt,
    model: 'claude-opus-5-5',
    budgetUsd: 5,
    demo: true,
    turn: 1,
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
