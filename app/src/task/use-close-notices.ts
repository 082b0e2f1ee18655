import { useEffect } from 'react'

/** Takes the task's notification away once the task itself is in front of a person. */
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

/** A browser that shows none has none to close. */
function noNotices(): void {
  undefined
}
