import type { PrecacheEntry } from 'workbox-precaching'
import { serveFiles } from './sw/files.ts'
import { openNotice, showNotice } from './sw/notices.ts'
import { renewSubscription, type SubscriptionChange } from './sw/renewed.ts'

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
