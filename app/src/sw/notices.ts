import { parseJson } from '../../../contract/shared/json.ts'
import { SERVER_PATHS } from './server-paths.ts'

declare const self: ServiceWorkerGlobalScope

/** What the server's notifications hold: no code, and of a prompt no more than its title. */
type Notice = { title?: string; body?: string; url?: string; taskId?: string }

/** Every push must show something; one that cannot be read shows the app's name. A task's newer notice takes the place of its older one, and is heard like it. */
export async function showNotice(data: PushMessageData | null): Promise<void> {
  const { title = 'Errand', body = '', url = '/', taskId } = readNotice(data)
  await self.registration.showNotification(title, {
    body,
    icon: '/icons/192.png',
    badge: '/icons/badge.png',
    data: { url },
    ...(taskId !== undefined && { tag: taskId, renotify: true }),
  })
}

/** In a window of the app that is open already, if there is one. Never away from this origin. */
export async function openNotice(notification: Notification): Promise<void> {
  notification.close()
  const target = new URL(String(notification.data?.url ?? '/'), self.location.origin)
  const path = target.origin === self.location.origin ? target.pathname : '/'
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const open = windows.find(({ url }) => isOfTheApp(url))
  if (!open) {
    await self.clients.openWindow(path)
    return
  }
  // Told rather than navigated: nothing that the person typed is lost to a reload.
  open.postMessage({ type: 'open', path })
  await open.focus()
}

function readNotice(data: PushMessageData | null): Notice {
  const text = data?.text() ?? ''
  const notice = parseJson(text)
  return typeof notice === 'object' && notice !== null ? notice : { body: text }
}

/** The queue's board and the API's pages are windows of this origin too, and would not listen. */
function isOfTheApp(url: string): boolean {
  return !SERVER_PATHS.some((path) => path.test(new URL(url).pathname))
}
