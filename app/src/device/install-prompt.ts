import { createState } from '../client/state.ts'

/** Chromium's offer to install the page (https://wicg.github.io/manifest-incubations/); TypeScript's library does not know it. */
type InstallOffer = Event & { prompt: () => Promise<unknown> }

/** The browser's offer, as long as it stands; null where it makes none. */
export const installOffer = createState<InstallOffer | null>(null)

/** It comes once, early, and only here: whoever shows the settings later finds it kept. */
export function watchInstallOffer(): void {
  window.addEventListener('beforeinstallprompt', (event) => {
    // The browser's own bar would cover the list; the offer is in the settings.
    event.preventDefault()
    installOffer.set(event as InstallOffer)
  })
  window.addEventListener('appinstalled', () => installOffer.set(null))
}
