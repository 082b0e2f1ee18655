import { useEffect } from 'react'
import { useClient } from '../client/hooks.ts'

/** Keeps the server's word on where this browser is told of things, from each start and sign-in on. */
export function useKeptPush(): void {
  const { api } = useClient()
  useEffect(() => {
    import('../settings/push.ts').then(({ renewPush }) => renewPush(api)).catch(onLater)
  }, [api])
}

/** Without a network, or where the browser refuses: the next start says it. The settings tell how it stands. */
function onLater(): void {}
