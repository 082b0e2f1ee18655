import { navigate } from 'wouter/use-browser-location'
import type { Client } from '../client/client.ts'
import { createState } from '../client/state.ts'
import { visibleArea } from './visible-area.ts'

/** Tells the styles how much of the page is visible: `data-low` on the root, and `--covered` for what sticks to the lower edge. */
export function watchVisibleArea(): void {
  const root = document.documentElement
  const update = () => {
    const { height, offsetTop, scale } = window.visualViewport ?? { height: root.clientHeight, offsetTop: 0, scale: 1 }
    const { isLow, coveredPx } = visibleArea({ pageHeight: root.clientHeight, seen: { height, offsetTop, scale } })
    root.toggleAttribute('data-low', isLow)
    root.style.setProperty('--covered', `${coveredPx}px`)
  }
  update()
  addEventListener('resize', update)
  for (const change of ['resize', 'scroll']) window.visualViewport?.addEventListener(change, update)
}

/** Probes the connection whenever the phone may have slept or changed its network. */
export function watchWaking({ connection }: Pick<Client, 'connection'>): void {
  const probe = () => connection.probe()
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') probe()
  })
  window.addEventListener('online', probe)
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) probe()
  })
}

/**
 * A tapped notification opens its task in a window that is already open; the service worker sends the path. It is handled from the start,
 * because a window at the sign-in screen must store the path until the user is signed in.
 */
export function watchOpenedNotifications(): void {
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<{ type?: string; path?: string }>) => {
    if (data?.type === 'open' && data.path) navigate(data.path)
  })
}

/** Chromium's offer to install the page (https://wicg.github.io/manifest-incubations/); TypeScript's library does not know it. */
type InstallOffer = Event & { prompt: () => Promise<unknown> }

/** The browser's offer while it stands; null if the browser makes none. */
export const installOffer = createState<InstallOffer | null>(null)

/** The event fires once, early. The settings screen, which loads later, reads the stored offer. */
export function watchInstallOffer(): void {
  window.addEventListener('beforeinstallprompt', (event) => {
    // The browser's own bar would cover the list; the settings screen makes the offer instead.
    event.preventDefault()
    installOffer.set(event as InstallOffer)
  })
  window.addEventListener('appinstalled', () => installOffer.set(null))
}
