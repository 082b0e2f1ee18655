import type { Task } from '../../../contract/api/api.ts'
import type { TaskEvent } from '../../../contract/api/event.ts'
import type { Saved } from './saved.ts'

/**
 * A task's summary and its events come and are saved one by one, so that either may be the newer. What no event tells (a place in the queue,
 * the cost) stays as the summary has it.
 * @returns the summary with what later events tell of it; the same one when they tell nothing
 */
export function taskAfter(task: Saved<Task>, events: readonly TaskEvent[]): Saved<Task> {
  const last = events.at(-1)
  if (!last || last.seq <= task.lastSeq) return task
  const later = events.filter(({ seq, type }) => seq > task.lastSeq && TELLING.has(type))
  if (later.length === 0) return task
  const isOlder = task.asOf !== undefined && task.asOf < last.at
  return { ...later.reduce(takeEvent, task), lastSeq: last.seq, ...(isOlder && { asOf: last.at }) }
}

const TELLING: ReadonlySet<TaskEvent['type']> = new Set([
  ...(['message.received', 'attempt.started', 'attempt.ended'] as const),
  ...(['turn.ended', 'pull_request.opened', 'task.ended'] as const),
])

function takeEvent(task: Saved<Task>, { type, data, attempt, at }: TaskEvent): Saved<Task> {
  switch (type) {
    case 'message.received':
      return data.mode === null ? { ...task, ...WAITING, turn: data.turn } : task
    case 'attempt.started':
      return { ...task, ...WAITING, status: 'running', turn: data.turn, attempt, startedAt: task.startedAt ?? at }
    case 'attempt.ended':
      return data.outcome === 'interrupted' ? { ...task, ...WAITING } : task
    case 'turn.ended':
      return { ...task, diff: data.diff ?? task.diff }
    case 'pull_request.opened':
      return { ...task, pullRequestUrl: data.url }
    case 'task.ended': {
      const { turn, status, reason, message } = data
      const end = { reason, reasonText: null, error: message, queuePosition: null, completedAt: at }
      return { ...task, ...end, status, turn, branch: data.branch ?? task.branch }
    }
    default:
      return task
  }
}

const WAITING = {
  ...{ status: 'pending', reason: null, reasonText: null },
  ...{ queuePosition: null, completedAt: null, error: null },
} as const satisfies Partial<Task>
