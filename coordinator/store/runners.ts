import type { Reason } from '../../contract/api/reason.ts'
import { RUNNER_SILENT_MS } from '../../contract/wire/deadlines.ts'
import type { RunnerIdentity } from '../../contract/wire/lease.ts'
import type { Store } from './sqlite/database.ts'

/** @returns whether there is another number of slots now than a moment ago: the runner came, has others, fell ill or is well again */
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

/** Slots of all runners that are there and well; 0: nobody takes anything. */
export async function countSlots(db: Store, now: number): Promise<number> {
  const { slots } = await db
    .selectFrom('runners')
    .select((eb) => eb.fn.sum('slots').as('slots'))
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
    .where('unwell_reason', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(slots ?? 0)
}

/** @returns why nobody takes a task: no runner is there, or what is wrong with the one that spoke last; null when one can */
export async function whyNobodyTakes(db: Store, now: number): Promise<Reason | null> {
  const there = db
    .selectFrom('runners')
    .select('unwell_reason')
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
  const runners = await there.orderBy('seen_at', 'desc').execute()
  if (runners.some(({ unwell_reason }) => unwell_reason === null)) return null
  return runners[0]?.unwell_reason ?? 'no_runner'
}
