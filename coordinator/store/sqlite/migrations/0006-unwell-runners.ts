import type { Kysely } from 'kysely'

/** Why a runner takes no tasks, as long as it reports so. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['unwell_reason', 'unwell_message'])
    await db.schema.alterTable('runners').addColumn(column, 'text').execute()
}
