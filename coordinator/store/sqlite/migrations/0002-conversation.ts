import { type Kysely, sql } from 'kysely'

/** The messages of people to a task and their states; and the size of the task's change after its newest turn. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('inbox')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('task_id', 'text', (c) => c.notNull().references('tasks.id').onDelete('cascade'))
    .addColumn('client_id', 'text')
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('mode', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('turn', 'integer')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('delivered_at', 'bigint')
    .addUniqueConstraint('inbox_sent_once', ['task_id', 'client_id'])
    .addUniqueConstraint('inbox_in_order', ['task_id', 'seq'])
    .execute()
  await sql`create index inbox_waiting on inbox (task_id, seq) where state = 'waiting'`.execute(db)

  await db.schema.alterTable('tasks').addColumn('message_id', 'text').execute()
  await db.schema.alterTable('tasks').addColumn('diff_files', 'integer').execute()
  await db.schema.alterTable('tasks').addColumn('diff_insertions', 'integer').execute()
  await db.schema.alterTable('tasks').addColumn('diff_deletions', 'integer').execute()

  // Until now a task had one message, which still waits if no runner has taken it.
  await sql`
    insert into inbox (id, task_id, client_id, seq, text, mode, state, turn, created_at, delivered_at)
    select json_extract(e.data, '$.messageId'), e.task_id, json_extract(e.data, '$.clientId'), e.seq, json_extract(e.data, '$.text'), null,
           case when t.attempt > 0 then 'delivered' when t.status = 'pending' then 'waiting' else 'withdrawn' end,
           case when t.attempt > 0 then 1 end, e.at, case when t.attempt > 0 then t.started_at end
    from events e join tasks t on t.id = e.task_id where e.type = 'message.received'`.execute(db)
  await sql`update tasks set message_id = (select id from inbox where inbox.task_id = tasks.id)`.execute(db)
}
