import type { RunnerIdentity } from '../../contract/lease.ts'
import type { Store } from './database.ts'

/** A runner that was silent for longer counts as gone; it speaks every 5 s. */
export const RUNNER_SILENT_MS = 15_000

/** @returns whether this runner was not there a moment ago, or has other slots than then */
export const seeRunner = async (db: Store, runner: RunnerIdentity, now: number): Promise<boolean> => {
  const before = await db.selectFrom('runners').selectAll().where('id', '=', runner.id).executeTakeFirst()
  const seen = { name: runner.name, slots: runner.slots, seen_at: now }
  await db
    .insertInto('runners')
    .values({ id: runner.id, ...seen })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(seen))
    .execute()
  return !before || before.seen_at < now - RUNNER_SILENT_MS || before.slots !== runner.slots
}

/** Slots of all runners that are there; 0: none is. */
export const countSlots = async (db: Store, now: number): Promise<number> => {
  const { slots } = await db
    .selectFrom('runners')
    .select((eb) => eb.fn.sum('slots').as('slots'))
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
    .executeTakeFirstOrThrow()
  return Number(slots ?? 0)
}
