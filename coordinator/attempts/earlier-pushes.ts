import type { Lease } from '../../contract/wire/lease.ts'
import { firstAttemptOfTurn } from '../store/attempts.ts'
import { listPushes, type PushRow } from '../store/events.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { TaskRow } from '../store/tasks.ts'

/** What earlier attempts pushed to the task's branch, by their gateways: the next runner makes its patches from it. */
export async function earlierPushes(db: Store, task: TaskRow): Promise<Lease['pushed']> {
  const pushes = await listPushes(db, task.id, task.branch)
  // A restarted runner that asks for the lease of its running attempt knows that attempt's own pushes.
  const earlier = pushes.filter(({ attempt }) => attempt < task.attempt)
  return judgePushes(earlier, await firstAttemptOfTurn(db, task.id, task.turn))
}

/**
 * Pure.
 * @param pushes oldest first
 * @param turnsFirst number of the first attempt at the current turn
 */
export function judgePushes(pushes: readonly PushRow[], turnsFirst: number): Lease['pushed'] {
  const newest = pushes.at(-1)
  if (!newest) return null
  const ofTurn = pushes.filter(({ attempt }) => attempt >= turnsFirst)
  const before = pushes.filter(({ attempt }) => attempt < turnsFirst).at(-1)?.commit ?? null
  const [first] = ofTurn
  // An earlier version did not note what the branch was before. Then it was what the turn before had pushed.
  const turnBase = first?.before === undefined ? before : first.before
  return { commit: newest.commit, inTurn: ofTurn.length > 0, turnBase: ofTurn.length > 0 ? turnBase : null }
}
