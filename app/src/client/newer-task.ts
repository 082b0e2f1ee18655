import type { Task, TaskPage } from '../../../contract/api/api.ts'

export type Pages = { pages: readonly (TaskPage & { asOf?: string })[]; pageParams: readonly unknown[] }

/** @returns the newer of two summaries; without a new event (a place in the queue that moved) what came later */
export function newerTask(old: Task | undefined, next: Task): Task {
  return old && next.lastSeq < old.lastSeq ? old : next
}

/** @returns the list that came later, each task in it as the newer list has it */
export function newerPages(old: Pages | undefined, next: Pages): Pages {
  const known = new Map(old?.pages.flatMap(({ items }) => items.map((task) => [task.id, task])))
  const newest = (task: Task) => newerTask(known.get(task.id), task)
  return { ...next, pages: next.pages.map((page) => ({ ...page, items: page.items.map(newest) })) }
}
