import type { Kysely } from 'kysely'

/** A known text, sealed with the server's secret key, so that a start with another key notices before anything is written. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('key_check')
    .addColumn('sealed', 'text', (column) => column.notNull())
    .execute()
}
