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

const DISK_LOW = 'disk_low'

/** Notes for everybody whether the disk of this server has too little room for new work. */
export async function setDiskLow(db: Store, low: boolean, now: number): Promise<void> {
  if (!low) await db.deleteFrom('server_state').where('name', '=', DISK_LOW).execute()
  else
    await db
      .insertInto('server_state')
      .values({ name: DISK_LOW, since: now })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
}

export async function isDiskLow(db: Store): Promise<boolean> {
  return (await db.selectFrom('server_state').select('name').where('name', '=', DISK_LOW).executeTakeFirst()) !== undefined
}

/**
 * @returns why no runner takes tasks: this server has no room, none is connected, or the fault of the one that was heard from last; null
 * when one takes them
 */
export async function whyNobodyTakes(db: Store, now: number): Promise<Reason | null> {
  if (await isDiskLow(db)) return 'coordinator_disk_full'
  const there = db
    .selectFrom('runners')
    .select('unwell_reason')
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
  const runners = await there.orderBy('seen_at', 'desc').execute()
  if (runners.some(({ unwell_reason }) => unwell_reason === null)) return null
  return runners[0]?.unwell_reason ?? 'no_runner'
}
