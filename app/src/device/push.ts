import type { Api } from '../client/api.ts'

export type PushState = 'on' | 'off' | 'denied' | 'unsupported'

/** Whether this browser can show our notifications, and whether they are on. */
export async function readPush(): Promise<PushState> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'unsupported'
  if (Notification.permission === 'denied') return 'denied'
  const registration = await navigator.serviceWorker.getRegistration()
  if (!registration) return 'unsupported'
  return (await registration.pushManager.getSubscription()) ? 'on' : 'off'
}

/** Asks the user, subscribes the browser and tells the server. Call it from a tap: browsers ask only then. */
export async function subscribe(api: Pick<Api, 'subscribe'>, vapidPublicKey: string): Promise<PushState> {
  if ((await Notification.requestPermission()) !== 'granted') return readPush()
  await subscribeWith(api, await navigator.serviceWorker.ready, vapidPublicKey)
  return 'on'
}

/**
 * Tells the server again about this browser's subscription, at each start and sign-in: the server may have lost it, or changed its keys.
 * Does nothing if notifications are off.
 */
export async function renewPush(api: Pick<Api, 'subscribe' | 'unsubscribe' | 'findNotifications'>): Promise<void> {
  const found = await findSubscription()
  if (!found) return
  const { vapidPublicKey } = await api.findNotifications()
  const isCurrent = base64Url(found.subscription.options.applicationServerKey) === vapidPublicKey
  if (isCurrent) return api.subscribe(asSent(found.subscription))
  await found.subscription.unsubscribe()
  await api.unsubscribe({ endpoint: found.subscription.endpoint })
  await subscribeWith(api, found.registration, vapidPublicKey)
}

/** Ends the subscription in this browser and on the server. */
export async function unsubscribe(api: Pick<Api, 'unsubscribe'>): Promise<PushState> {
  const endpoint = await unsubscribeHere()
  if (endpoint !== null) await api.unsubscribe({ endpoint })
  return readPush()
}

/** Ends the subscription in this browser alone. @returns its endpoint; null if there was none */
export async function unsubscribeHere(): Promise<string | null> {
  const found = await findSubscription()
  await found?.subscription.unsubscribe()
  return found?.subscription.endpoint ?? null
}

async function findSubscription() {
  const registration = await navigator.serviceWorker?.getRegistration()
  const subscription = await registration?.pushManager?.getSubscription()
  return registration && subscription ? { registration, subscription } : null
}

async function subscribeWith(
  api: Pick<Api, 'subscribe'>,
  { pushManager }: ServiceWorkerRegistration,
  applicationServerKey: string,
): Promise<void> {
  await api.subscribe(asSent(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })))
}

function asSent(subscription: PushSubscription) {
  const { endpoint = '', keys } = subscription.toJSON()
  return { endpoint, keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } }
}

/** Encodes a key the way the server does. */
function base64Url(bytes: ArrayBuffer | null): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
