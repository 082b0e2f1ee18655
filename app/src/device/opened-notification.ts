import { navigate } from 'wouter/use-browser-location'

/**
 * A tapped notification leads to its task in the window that is open already; the service worker says where. Listened to from the start
 * on: in a window that is still at the sign-in, the gate keeps the place until afterwards.
 */
export function watchOpenedNotifications(): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<{ type?: string; path?: string }>) => {
    if (data?.type === 'open' && data.path) navigate(data.path)
  })
}
