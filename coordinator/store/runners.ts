import type { Reason } from '../../contract/api/reason.ts'
import { RUNNER_SILENT_MS } from '../../contract/wire/deadlines.ts'
import type { RunnerIdentity } from '../../contract/wire/lease.ts'
import type { Store } from './sqlite/database.ts'

/** @returns whether the number of usable slots changed: the runner came, changed its slots, or became unwell or well */
export async function seeRunner(db: Store, runner: RunnerIdentity, now: number): Promise<boolean> {
  const before = await db.selectFrom('runners').selectAll().where('id', '=', runner.id).executeTakeFirst()
  const { name, slots, unwell } = runner
  const seen = { name, slots, seen_at: now, unwell_reason: unwell?.reason ?? null, unwell_message: unwell?.message ?? null }
  await db
    .insertInto('runners')
    .values({ id: runner.id, ...seen })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(seen))
    .execute()
  if (!before || before.seen_at < now - RUNNER_SILENT_MS || before.slots !== slots) return true
  return (before.unwell_reason === null) !== (seen.unwell_reason === null)
}

/** Slots of all connected runners that are well. */
export async function countSlots(db: Store, now: number): Promise<number> {
  const { slots } = await db
    .selectFrom('runners')
    .select((eb) => eb.fn.sum('slots').as('slots'))
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
    .where('unwell_reason', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(slots ?? 0)
}

/** @returns why no runner takes tasks: none is connected, or the fault of the one that was heard from last; null when one takes them */
export async function whyNobodyTakes(db: Store, now: number): Promise<Reason | null> {
  const there = db
    .selectFrom('runners')
    .select('unwell_reason')
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
  const runners = await there.orderBy('seen_at', 'desc').execute()
  if (runners.some(({ unwell_reason }) => unwell_reason === null)) return null
  return runners[0]?.unwell_reason ?? 'no_runner'
}
