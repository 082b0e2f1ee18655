import { navigate } from 'wouter/use-browser-location'

/**
 * A tapped notification opens its task in a window that is already open; the service worker sends the path. It is handled from the start,
 * because a window at the sign-in screen must store the path until the user is signed in.
 */
export function watchOpenedNotifications(): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<{ type?: string; path?: string }>) => {
    if (data?.type === 'open' && data.path) navigate(data.path)
  })
}
