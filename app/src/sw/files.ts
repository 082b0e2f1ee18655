import { ExpirationPlugin } from 'workbox-expiration'
import { cleanupOutdatedCaches, createHandlerBoundToURL, type PrecacheEntry, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { CacheFirst } from 'workbox-strategies'
import { SERVER_PATHS } from './server-paths.ts'

/** Parts of the app that are kept once they were needed; those of older versions make room. */
const PARTS_KEPT = 40

/**
 * The app's own files, also without a network: its screens from the first visit on, and a heavy part (markdown) once it was needed.
 * What the server answers itself never goes through here: neither data nor a sign-in may come out of a cache.
 */
export function serveFiles(shell: PrecacheEntry[]): void {
  precacheAndRoute(shell)
  cleanupOutdatedCaches()
  registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [...SERVER_PATHS] }))
  // Named by their content, they never change.
  registerRoute(
    ({ sameOrigin, url }) => sameOrigin && url.pathname.startsWith('/assets/'),
    new CacheFirst({
      cacheName: 'parts',
      plugins: [new ExpirationPlugin({ maxEntries: PARTS_KEPT, purgeOnQuotaError: true })],
    }),
  )
}
