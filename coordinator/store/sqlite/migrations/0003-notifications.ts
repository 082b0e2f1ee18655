import type { Kysely } from 'kysely'

/** Where users are notified, and of what. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('push_subscriptions')
    .addColumn('endpoint', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (c) => c.notNull())
    .addColumn('p256dh', 'text', (c) => c.notNull())
    .addColumn('auth', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('push_subscriptions_of_user').on('push_subscriptions').column('user_id').execute()

  await db.schema
    .createTable('notification_settings')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('on_done', 'integer', (c) => c.notNull())
    .addColumn('on_failed', 'integer', (c) => c.notNull())
    .addColumn('on_attention', 'integer', (c) => c.notNull())
    .addColumn('webhook_url', 'text')
    .execute()
}
