import { ExpirationPlugin } from 'workbox-expiration'
import { cleanupOutdatedCaches, createHandlerBoundToURL, type PrecacheEntry, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { CacheFirst } from 'workbox-strategies'

/** How many lazily loaded parts are cached; those of older versions are evicted first. */
const PARTS_KEPT = 40

/**
 * Serves the app's own files without a network: its screens from the first visit on, and a heavy part (markdown) after its first use.
 * Answers of the server never pass through here: neither data nor a sign-in may come from a cache.
 */
export function serveFiles(shell: PrecacheEntry[]): void {
  precacheAndRoute(shell)
  cleanupOutdatedCaches()
  registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [...SERVER_PATHS] }))
  // Their names are content hashes, so they never change.
  registerRoute(
    ({ sameOrigin, url }) => sameOrigin && url.pathname.startsWith('/assets/'),
    new CacheFirst({
      cacheName: 'parts',
      plugins: [new ExpirationPlugin({ maxEntries: PARTS_KEPT, purgeOnQuotaError: true })],
    }),
  )
}

/** Paths that the server answers itself: no screens of the app. */
export const SERVER_PATHS: readonly RegExp[] = [
  /^\/api\//,
  /^\/auth\//,
  /^\/socket\.io\//,
  /^\/admin\/./,
  /^\/docs/,
  /^\/openapi\.json/,
  /^\/metrics/,
  /^\/demo\//,
  /^\/static\//,
]
