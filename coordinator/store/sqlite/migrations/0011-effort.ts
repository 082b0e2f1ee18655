import type { Kysely } from 'kysely'

/** A task's own effort; null: the model's. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').addColumn('effort', 'text').execute()
}
