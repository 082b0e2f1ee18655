import type { Selectable } from 'kysely'
import type { Draining } from '../../contract/api/overview.ts'
import type { Reason } from '../../contract/api/reason.ts'
import { RUNNER_SILENT_MS } from '../../contract/wire/deadlines.ts'
import { OLDEST_CONTRACT, type RunnerIdentity } from '../../contract/wire/lease.ts'
import type { Store } from './sqlite/database.ts'
import type { Database } from './sqlite/schema.ts'

/** @returns whether the number of usable slots changed: the runner came, changed its slots or version, or became unwell or well */
export async function seeRunner(db: Store, runner: RunnerIdentity, now: number): Promise<boolean> {
  const before = await db.selectFrom('runners').selectAll().where('id', '=', runner.id).executeTakeFirst()
  const { name, slots, unwell, contract = 0 } = runner
  const fault = { unwell_reason: unwell?.reason ?? null, unwell_message: unwell?.message ?? null }
  const seen = { name, slots, contract, seen_at: now, ...fault }
  await db
    .insertInto('runners')
    .values({ id: runner.id, ...seen })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(seen))
    .execute()
  if (!before || before.seen_at < now - RUNNER_SILENT_MS || before.slots !== slots || before.contract !== contract) return true
  return (before.unwell_reason === null) !== (seen.unwell_reason === null)
}

/** Slots of all connected runners that take tasks: they are well, not too old, and not being drained. */
export async function countSlots(db: Store, now: number): Promise<number> {
  const { slots } = await db
    .selectFrom('runners')
    .select((eb) => eb.fn.sum('slots').as('slots'))
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
    .where('unwell_reason', 'is', null)
    .where('contract', '>=', OLDEST_CONTRACT)
    .where('draining', 'is', null)
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
    .select(['unwell_reason', 'contract', 'draining'])
    .where('seen_at', '>=', now - RUNNER_SILENT_MS)
  const runners = await there.orderBy('seen_at', 'desc').execute()
  if (runners.some((runner) => whyNotTaking(runner) === null)) return null
  return runners[0] ? whyNotTaking(runners[0]) : 'no_runner'
}

/** Pure. @returns why a connected runner takes no tasks; null when it takes them */
export function whyNotTaking(
  runner: Pick<Selectable<Database['runners']>, 'unwell_reason' | 'contract' | 'draining'>,
): Reason | null {
  if (runner.contract < OLDEST_CONTRACT) return 'runner_outdated'
  return runner.draining === null ? runner.unwell_reason : 'runner_draining'
}

/** @param draining null: it takes tasks again. @returns false when there is no such runner */
export async function setDraining(db: Store, id: string, draining: Draining | null): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('runners').set({ draining }).where('id', '=', id).executeTakeFirst()
  return numUpdatedRows > 0n
}

/** @returns how an administrator takes this runner out of service; null: it serves, or was never seen */
export async function readDraining(db: Store, id: string): Promise<Draining | null> {
  const row = await db.selectFrom('runners').select('draining').where('id', '=', id).executeTakeFirst()
  return row?.draining ?? null
}
