import { useEffect } from 'react'
import { useLocation } from 'wouter'

/** A tapped notification leads to its task in the window that is open already; the service worker says where. */
export const useOpenedNotification = (): void => {
  const [, navigate] = useLocation()
  useEffect(() => {
    const open = ({ data }: MessageEvent<{ type?: string; path?: string }>) => {
      if (data?.type === 'open' && data.path) navigate(data.path)
    }
    navigator.serviceWorker?.addEventListener('message', open)
    return () => navigator.serviceWorker?.removeEventListener('message', open)
  }, [navigate])
}
