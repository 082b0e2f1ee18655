import { groupBy } from '../process/group-by.ts'
import type { Waiting } from '../store/tasks.ts'

/**
 * Which waiting tasks go to the queue now: the users take turns, and whoever waited longest since their last is next. Of one
 * user the oldest task comes first. So nobody waits behind another's thousand tasks.
 * @param places how many more the queue may hold
 */
export function chooseNext(waiting: readonly Waiting[], places: number): Waiting[] {
  const users = [...groupBy(waiting, (task) => task.userId).values()]
    .map((tasks) => tasks.toSorted(byAge))
    .toSorted((a, b) => lastReleased(a) - lastReleased(b) || byAge(a[0], b[0]))
  const chosen: Waiting[] = []
  for (let round = 0; chosen.length < places; round++) {
    const next = users.flatMap((tasks) => tasks[round] ?? [])
    if (next.length === 0) break
    chosen.push(...next.slice(0, places - chosen.length))
  }
  return chosen
}

function lastReleased(tasks: readonly Waiting[]): number {
  return tasks[0]?.lastReleasedAt ?? 0
}

function byAge(a: Waiting | undefined, b: Waiting | undefined): number {
  return (a?.createdAt ?? 0) - (b?.createdAt ?? 0) || ((a?.taskId ?? '') < (b?.taskId ?? '') ? -1 : 1)
}
