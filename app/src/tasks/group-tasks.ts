import type { Task } from '../../../contract/api/api.ts'
import type { TaskStatus } from '../../../contract/api/status.ts'

export type TaskGroup = { status: TaskStatus; tasks: Task[] }

/** What goes on first, then what is over: newest first in each. */
const ORDER: readonly TaskStatus[] = ['running', 'pending', 'failed', 'completed', 'cancelled']

/** @returns the groups that have a task, in the order in which a person wants to know */
export function groupTasks(tasks: readonly Task[]): TaskGroup[] {
  return ORDER.map((status) => ({ status, tasks: tasks.filter((task) => task.status === status) })).filter(
    ({ tasks }) => tasks.length > 0,
  )
}
