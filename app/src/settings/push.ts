import type { Api } from '../client/api.ts'

export type PushState = 'on' | 'off' | 'denied' | 'unsupported'

/** Whether this browser can show notifications of ours, and does. */
export const readPush = async (): Promise<PushState> => {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'unsupported'
  if (Notification.permission === 'denied') return 'denied'
  const registration = await navigator.serviceWorker.getRegistration()
  if (!registration) return 'unsupported'
  return (await registration.pushManager.getSubscription()) ? 'on' : 'off'
}

/** Asks the person, then the browser, and tells the server. Call it from a tap: browsers ask only then. */
export const subscribe = async (api: Pick<Api, 'subscribe'>, vapidPublicKey: string): Promise<PushState> => {
  if ((await Notification.requestPermission()) !== 'granted') return readPush()
  const registration = await navigator.serviceWorker.ready
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: vapidPublicKey,
  })
  const { endpoint, keys } = subscription.toJSON()
  await api.subscribe({ endpoint: endpoint ?? '', keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } })
  return 'on'
}

/** Ends it here and at the server. */
export const unsubscribe = async (api: Pick<Api, 'unsubscribe'>): Promise<PushState> => {
  const registration = await navigator.serviceWorker?.getRegistration()
  const subscription = await registration?.pushManager?.getSubscription()
  if (subscription) {
    await subscription.unsubscribe()
    await api.unsubscribe(subscription.endpoint)
  }
  return readPush()
}
