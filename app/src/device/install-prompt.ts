import { createState } from '../client/state.ts'

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
