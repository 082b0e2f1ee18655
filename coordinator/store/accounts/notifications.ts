import type { Notifications, PushSubscription } from '../../../contract/api/api.ts'
import type { Store } from '../sqlite/database.ts'

/** How many devices of one user may subscribe; a new one replaces the oldest. */
const MAX_SUBSCRIPTIONS = 20

const DEFAULTS: Notifications = { onDone: true, onFailed: true, onAttention: true, webhookUrl: null }

export async function findNotifications(db: Store, userId: string): Promise<Notifications> {
  const row = await db.selectFrom('notification_settings').selectAll().where('user_id', '=', userId).executeTakeFirst()
  if (!row) return DEFAULTS
  return {
    onDone: row.on_done === 1,
    onFailed: row.on_failed === 1,
    onAttention: row.on_attention === 1,
    webhookUrl: row.webhook_url,
  }
}

export async function putNotifications(db: Store, userId: string, wanted: Notifications): Promise<void> {
  const row = {
    on_done: wanted.onDone ? 1 : 0,
    on_failed: wanted.onFailed ? 1 : 0,
    on_attention: wanted.onAttention ? 1 : 0,
    webhook_url: wanted.webhookUrl,
  }
  await db
    .insertInto('notification_settings')
    .values({ user_id: userId, ...row })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
    .execute()
}

export async function listSubscriptions(db: Store, userId: string): Promise<PushSubscription[]> {
  const rows = db.selectFrom('push_subscriptions').select(['endpoint', 'p256dh', 'auth']).where('user_id', '=', userId)
  return (await rows.execute()).map(({ endpoint, p256dh, auth }) => ({ endpoint, keys: { p256dh, auth } }))
}

/** An endpoint is one browser: the user who signed in there last gets the notices. @param deviceId the subscription ends with this device */
export async function putSubscription(
  db: Store,
  userId: string,
  deviceId: string,
  { endpoint, keys }: PushSubscription,
): Promise<void> {
  const row = { user_id: userId, device_id: deviceId, ...keys, created_at: Date.now() }
  await db
    .insertInto('push_subscriptions')
    .values({ endpoint, ...row })
    .onConflict((conflict) => conflict.column('endpoint').doUpdateSet(row))
    .execute()
  const own = db.selectFrom('push_subscriptions').select('endpoint').where('user_id', '=', userId)
  await db
    .deleteFrom('push_subscriptions')
    .where('user_id', '=', userId)
    .where('endpoint', 'not in', own.orderBy('created_at', 'desc').limit(MAX_SUBSCRIPTIONS))
    .execute()
}

export async function deleteSubscription(db: Store, userId: string, endpoint: string): Promise<void> {
  await db.deleteFrom('push_subscriptions').where('user_id', '=', userId).where('endpoint', '=', endpoint).execute()
}
