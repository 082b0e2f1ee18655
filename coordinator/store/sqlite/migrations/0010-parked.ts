import { type Kysely, sql } from 'kysely'

/** A turn that waits for the model frees its slot, and comes back at a time that the store knows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['tasks', 'attempts'])
    await sql`alter table ${sql.table(table)} add column waiting_until integer`.execute(db)
}
