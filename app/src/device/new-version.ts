import { registerSW } from 'virtual:pwa-register'
import { useEffect, useState } from 'react'

const LOOK_EVERY_MS = 60 * 60_000

/** @returns a function that reloads the page with the new version; null while there is none */
export function useNewVersion(): (() => void) | null {
  const [take, setTake] = useState<(() => void) | null>(null)
  useEffect(() => {
    const update = registerSW({
      onNeedRefresh: () => setTake(() => () => void update(true)),
      onRegisteredSW: (_url, registration) => {
        // An installed app may stay open for weeks.
        if (registration) setInterval(() => registration.update().catch(() => {}), LOOK_EVERY_MS)
      },
    })
  }, [])
  return take
}

/** Reloads with the server's current version: a plain reload would bring back the one that the service worker caches. */
export async function reloadToNewest(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  // Without a network there is no newer version, and a plain reload is all that helps.
  await registration?.update().catch(() => {})
  const next = registration?.installing ?? registration?.waiting
  if (!next) return location.reload()
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  next.addEventListener('statechange', () => next.state === 'redundant' && location.reload())
  next.postMessage({ type: 'SKIP_WAITING' })
}
