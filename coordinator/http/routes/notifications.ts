import type { Express } from 'express'
import { EndSubscription, type NotificationSettings, Notifications, PushSubscription } from '../../../contract/api/api.ts'
import { Refusal } from '../../process/errors.ts'
import {
  deleteSubscription,
  findNotifications,
  listSubscriptions,
  putNotifications,
  putSubscription,
} from '../../store/accounts/notifications.ts'
import type { Parts } from '../parts.ts'
import { currentDevice, currentUser } from '../sign-in/authenticate.ts'

type Wanted = Pick<Parts, 'db' | 'webPush' | 'outside' | 'notifier'>

/** What a user wants to be told of, and where. */
export function addNotificationRoutes(app: Express, { db, webPush, outside, notifier }: Wanted): void {
  const settingsOf = async (userId: string): Promise<NotificationSettings> => ({
    ...(await findNotifications(db, userId)),
    vapidPublicKey: webPush.publicKey,
    subscriptions: (await listSubscriptions(db, userId)).length,
  })

  app.get('/api/me/notifications', async (request, response) => {
    response.json(await settingsOf(currentUser(request).id))
  })
  app.put('/api/me/notifications', async (request, response) => {
    const wanted = Notifications.parse(request.body)
    if (wanted.webhookUrl !== null) outside.check(wanted.webhookUrl)
    const userId = currentUser(request).id
    await putNotifications(db, userId, wanted)
    response.json(await settingsOf(userId))
  })
  app.post('/api/me/notifications/test', async (request, response) => {
    const { sent, failed } = await notifier.test(currentUser(request).id)
    if (sent + failed === 0)
      throw new Refusal('conflict', 'Nothing is set up to be told: allow notifications on a device, or name a webhook.')
    if (failed > 0)
      throw new Refusal(
        'unavailable',
        `${failed} of ${sent + failed} did not take it. Check the webhook's address, or allow notifications anew.`,
      )
    response.sendStatus(204)
  })

  app.post('/api/me/push/subscriptions', async (request, response) => {
    const subscription = PushSubscription.parse(request.body)
    outside.check(subscription.endpoint)
    if (!isUsable(webPush, subscription))
      throw new Refusal('invalid', 'The keys of this subscription are not those of a browser.')
    await putSubscription(db, currentUser(request).id, currentDevice(request), subscription)
    response.sendStatus(204)
  })
  app.delete('/api/me/push/subscriptions', async (request, response) => {
    const { endpoint } = EndSubscription.parse(request.body)
    await deleteSubscription(db, currentUser(request).id, endpoint)
    response.sendStatus(204)
  })
}

function isUsable(webPush: Parts['webPush'], subscription: PushSubscription): boolean {
  try {
    webPush.requestFor(subscription, 'test', 'test')
    return true
  } catch {
    return false
  }
}
