import { useEffect } from 'react'
import { useClient } from '../client/hooks.ts'

/** Goes on when the sign-in was done elsewhere: in another window, or by a link that was opened from the mail. */
export function useSignedInElsewhere(): void {
  const { api } = useClient()
  useEffect(() => {
    const ask = () => {
      if (document.visibilityState !== 'visible') return
      // A page of its own, because it may be for another user.
      api.me().then(
        () => location.assign('/'),
        () => {},
      )
    }
    window.addEventListener('focus', ask)
    window.addEventListener('pageshow', ask)
    document.addEventListener('visibilitychange', ask)
    return () => {
      window.removeEventListener('focus', ask)
      window.removeEventListener('pageshow', ask)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [api])
}
