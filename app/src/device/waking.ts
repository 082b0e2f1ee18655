import type { Client } from '../client/client.ts'

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
