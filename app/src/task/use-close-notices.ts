import { useEffect } from 'react'

/** Closes the task's notification once the user sees the task itself. */
export function useCloseNotices(taskId: string): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible' && document.hasFocus()) closeNotices(taskId).catch(noNotices)
    }
    look()
    addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [taskId])
}

async function closeNotices(tag: string): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  for (const notice of (await registration?.getNotifications({ tag })) ?? []) notice.close()
}

/** A browser without notifications has none to close. */
function noNotices(): void {
  undefined
}
