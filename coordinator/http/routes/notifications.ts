import type { NotificationSettings, PushSubscription } from '../../../contract/api/api.ts'
import { Refusal } from '../../process/errors.ts'
import {
  deleteSubscription,
  findNotifications,
  listSubscriptions,
  putNotifications,
  putSubscription,
} from '../../store/accounts/notifications.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'
import { currentDevice } from '../sign-in/authenticate.ts'

type Wanted = Pick<Parts, 'db' | 'webPush' | 'outside' | 'notifier'>

/** The events a user is notified of, and where. */
export function addNotificationRoutes(serve: Serve, { db, webPush, outside, notifier }: Wanted): void {
  const settingsOf = async (userId: string): Promise<NotificationSettings> => ({
    ...(await findNotifications(db, userId)),
    vapidPublicKey: webPush.publicKey,
    subscriptions: (await listSubscriptions(db, userId)).length,
  })

  serve('findNotifications', ({ user }) => settingsOf(user.id))
  serve('putNotifications', async ({ user, body }) => {
    if (body.webhookUrl !== null) outside.check(body.webhookUrl)
    await putNotifications(db, user.id, body)
    return settingsOf(user.id)
  })
  serve('testNotifications', async ({ user }) => {
    const { sent, failed } = await notifier.test(user.id)
    if (sent + failed === 0)
      throw new Refusal('conflict', 'No notification channel is set up: allow notifications on a device, or set a webhook.')
    if (failed > 0)
      throw new Refusal(
        'unavailable',
        `${failed} of ${sent + failed} notifications could not be sent. Check the webhook's address, or allow notifications again.`,
      )
  })

  serve('subscribe', async ({ user, body, request }) => {
    outside.check(body.endpoint)
    if (!isUsable(webPush, body)) throw new Refusal('invalid', 'The keys of this subscription are not those of a browser.')
    await putSubscription(db, user.id, currentDevice(request), body)
  })
  serve('unsubscribe', ({ user, body }) => deleteSubscription(db, user.id, body.endpoint))
}

function isUsable(webPush: Parts['webPush'], subscription: PushSubscription): boolean {
  try {
    webPush.requestFor(subscription, 'test', 'test')
    return true
  } catch {
    return false
  }
}
