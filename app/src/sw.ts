import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: Array<{ url: string; revision: string | null }> }

/** What the server's notifications hold: no code, and of a prompt no more than its title. */
type Notice = { title?: string; body?: string; url?: string; tag?: string }

// The shell alone. What the server answers itself never goes through here: neither data nor a sign-in may come out of a cache.
precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), {
    denylist: [
      /^\/api\//,
      /^\/auth\//,
      /^\/socket\.io\//,
      /^\/admin\/./,
      /^\/docs/,
      /^\/openapi\.json/,
      /^\/metrics/,
      /^\/demo\//,
      /^\/static\//,
    ],
  }),
)

// A new version waits until the person agrees to the reload.
self.addEventListener('message', (event) => {
  if (event.data?.type === 'SKIP_WAITING') void self.skipWaiting()
})

self.addEventListener('push', (event) => {
  const notice = readNotice(event.data)
  const { title = 'Errand', body = '', url = '/', tag } = notice
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      icon: '/icons/192.png',
      badge: '/icons/badge.png',
      data: { url },
      ...(tag !== undefined && { tag }),
    }),
  )
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(openPage(String(event.notification.data?.url ?? '/')))
})

/** Every push must show something; one that cannot be read shows the name. */
const readNotice = (data: PushMessageData | null): Notice => {
  try {
    return (data?.json() ?? {}) as Notice
  } catch {
    return { body: data?.text() ?? '' }
  }
}

/** In a window of the app that is open already, if there is one. Never away from this origin. */
const openPage = async (url: string): Promise<void> => {
  const target = new URL(url, self.location.origin)
  const path = target.origin === self.location.origin ? target.href : self.location.origin
  const [open] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (!open) {
    await self.clients.openWindow(path)
    return
  }
  await open.focus()
  // Told rather than navigated: nothing that the person typed is lost to a reload.
  open.postMessage({ type: 'open', path: new URL(path).pathname })
}
