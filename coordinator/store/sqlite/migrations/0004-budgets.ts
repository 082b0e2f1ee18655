import type { Kysely } from 'kysely'

/** A user's own budget for new tasks. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('users').addColumn('default_budget_usd', 'real').execute()
}
