import type { PrecacheEntry } from 'workbox-precaching'
import { serveFiles } from './sw/files.ts'
import { openNotice, showNotice } from './sw/notices.ts'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: PrecacheEntry[] }

serveFiles(self.__WB_MANIFEST)

// Takes control from the first visit on, so that files loaded later are cached too.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

// A new version waits until the user agrees to reload.
self.addEventListener('message', (event) => {
  if (event.data?.type === 'SKIP_WAITING') event.waitUntil(self.skipWaiting())
})

self.addEventListener('push', (event) => event.waitUntil(showNotice(event.data)))
self.addEventListener('notificationclick', (event) => event.waitUntil(openNotice(event.notification)))
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renewSubscription(event as SubscriptionChange)))

/** Missing in TypeScript's library (https://w3c.github.io/push-api/#the-pushsubscriptionchange-event). */
type SubscriptionChange = ExtendableEvent & {
  readonly oldSubscription?: PushSubscription | null
  readonly newSubscription?: PushSubscription | null
}

/**
 * Tells the server that the browser replaced or dropped its subscription. Without a session or a network this fails; the app then
 * renews the subscription at its next start.
 */
async function renewSubscription({ oldSubscription, newSubscription }: SubscriptionChange): Promise<void> {
  const next = newSubscription ?? (oldSubscription && (await self.registration.pushManager.subscribe(oldSubscription.options)))
  if (next) await sendToServer('POST', next.toJSON())
  if (oldSubscription && oldSubscription.endpoint !== next?.endpoint)
    await sendToServer('DELETE', { endpoint: oldSubscription.endpoint })
}

async function sendToServer(method: 'POST' | 'DELETE', { endpoint, keys }: PushSubscriptionJSON): Promise<void> {
  await fetch('/api/me/push/subscriptions', {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint, keys }),
  })
}
