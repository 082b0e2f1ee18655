import type { Kysely } from 'kysely'

/** What a user's new tasks may cost, when the user has a word on it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('users').addColumn('default_budget_usd', 'real').execute()
}
