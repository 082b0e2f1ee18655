import { type Kysely, sql } from 'kysely'

/**
 * Facts about the whole server; how long the history of each task is; tasks that a person deleted and that are still being removed, and what they had cost. Each attempt left the
 * whole conversation and the whole patch of its branch again: only the newest is ever read. Their files are removed after the start.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('server_state')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.alterTable('tasks').addColumn('deleted_at', 'bigint').execute()
  await db.schema
    .alterTable('tasks')
    .addColumn('event_bytes', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute()
  await sql`
    update tasks set event_bytes = (
      select coalesce(sum(octet_length(data)), 0) from events where task_id = tasks.id)`.execute(db)
  await sql`create index tasks_deleted on tasks (deleted_at) where deleted_at is not null`.execute(db)
  await db.schema
    .alterTable('users')
    .addColumn('deleted_cost_usd', 'double precision', (c) => c.notNull().defaultTo(0))
    .execute()
  for (const kind of ['transcript', 'patch'])
    await sql`
      delete from artifacts where kind = ${kind} and attempt < (
        select max(attempt) from artifacts as newer where newer.task_id = artifacts.task_id and newer.kind = artifacts.kind)`.execute(
      db,
    )
}
