import type { Task, TaskPage } from '../contract/api/api.ts'
import type { EventData, TaskEvent } from '../contract/api/event.ts'
import type { TaskStatus } from '../contract/api/status.ts'

/** An answer of the server. `asOf`: when it was saved, for an answer that comes from the device and not from the server. */
export type Saved<T> = T & { asOf?: string }

/** A list of tasks, as far as it was loaded. */
export type Pages = { pages: readonly Saved<TaskPage>[]; pageParams: readonly unknown[] }

/** @returns the newer of two summaries; without a new event between them (only a place in the queue moved), the one that came later */
export function newerTask(old: Task | undefined, next: Task): Task {
  return old && next.lastSeq < old.lastSeq ? old : next
}

/** @returns the list that came later, with the newer summary of each task */
export function newerPages(old: Pages | undefined, next: Pages): Pages {
  const known = new Map(old?.pages.flatMap(({ items }) => items.map((task) => [task.id, task])))
  const newest = (task: Task) => newerTask(known.get(task.id), task)
  return { ...next, pages: next.pages.map((page) => ({ ...page, items: page.items.map(newest) })) }
}

/**
 * Brings a summary up to date with the task's events. The two arrive and are saved separately, so either may be the newer one. Facts
 * that no event carries (the place in the queue, the cost) stay as they are.
 * @returns the very same summary if the events add nothing
 */
export function taskAfter(task: Saved<Task>, events: readonly TaskEvent[]): Saved<Task> {
  const last = events.at(-1)
  if (!last || last.seq <= task.lastSeq) return task
  const later = events.filter(({ seq, type }) => seq > task.lastSeq && CHANGES_SUMMARY.has(type))
  if (later.length === 0) return task
  const isOlder = task.asOf !== undefined && task.asOf < last.at
  return { ...later.reduce(applyEvent, task), lastSeq: last.seq, ...(isOlder && { asOf: last.at }) }
}

const CHANGES_SUMMARY: ReadonlySet<TaskEvent['type']> = new Set([
  'message.received',
  'attempt.started',
  'attempt.ended',
  'turn.ended',
  'pull_request.opened',
  'task.ended',
])

function applyEvent(task: Saved<Task>, { type, data, attempt, at }: TaskEvent): Saved<Task> {
  switch (type) {
    case 'message.received':
      return data.mode === null ? { ...task, ...PENDING, turn: data.turn } : task
    case 'attempt.started':
      return { ...task, ...PENDING, status: 'running', turn: data.turn, attempt, startedAt: task.startedAt ?? at }
    case 'attempt.ended':
      return data.outcome === 'interrupted' ? { ...task, ...PENDING, ...parkedBy(data) } : task
    case 'turn.ended':
      return { ...task, diff: data.diff ?? task.diff }
    case 'pull_request.opened':
      return { ...task, pullRequestUrl: data.url }
    case 'task.ended': {
      const { turn, status, reason, message } = data
      const end = { reason, reasonText: null, error: message, waitingUntil: null, queuePosition: null, completedAt: at }
      return { ...task, ...end, status, turn, branch: data.branch ?? task.branch }
    }
    default:
      return task
  }
}

function parkedBy({ reason, until }: EventData<'attempt.ended'>): Partial<Task> {
  return until === undefined ? {} : { reason, waitingUntil: until }
}

const PENDING = {
  status: 'pending',
  reason: null,
  reasonText: null,
  waitingUntil: null,
  queuePosition: null,
  completedAt: null,
  error: null,
} as const satisfies Partial<Task>

/** @returns whether the task waits or runs, so that it can be cancelled, steered and queued behind */
export function isUnderWay(status: TaskStatus): boolean {
  return status === 'pending' || status === 'running'
}
