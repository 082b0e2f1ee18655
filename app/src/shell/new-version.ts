import { registerSW } from 'virtual:pwa-register'
import { useEffect, useState } from 'react'

const LOOK_EVERY_MS = 60 * 60_000

/** @returns how to take the new version that is ready, which reloads the page; null while there is none */
export const useNewVersion = (): (() => void) | null => {
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
