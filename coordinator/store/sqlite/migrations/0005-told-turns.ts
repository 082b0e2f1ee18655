import { type Kysely, sql } from 'kysely'

/** The last turn whose end the user was told of. Whatever ended before this migration counts as told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('tasks')
    .addColumn('told_turn', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await sql`update tasks set told_turn = turn where status in ('completed', 'failed', 'cancelled')`.execute(db)
  await sql`create index tasks_untold on tasks (id) where told_turn < turn and completed_at is not null`.execute(db)
}
