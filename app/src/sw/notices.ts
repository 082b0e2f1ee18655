import { parseJson } from '../../../contract/shared/json.ts'
import { SERVER_PATHS } from './files.ts'

declare const self: ServiceWorkerGlobalScope

/** A notification from the server: no code, and only the title of a prompt. */
type Notice = { title?: string; body?: string; url?: string; taskId?: string }

/** Every push must show something; an unreadable one shows the app's name. A newer notice of a task replaces the older one and alerts again. */
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

/** Opens the notice's page, in an open window of the app if there is one. Never leaves this origin. */
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
  // A message instead of a navigation: a reload would lose what the user typed.
  open.postMessage({ type: 'open', path })
  await open.focus()
}

function readNotice(data: PushMessageData | null): Notice {
  const text = data?.text() ?? ''
  const notice = parseJson(text)
  return typeof notice === 'object' && notice !== null ? notice : { body: text }
}

/** The queue's board and the API pages share this origin but would ignore the message. */
function isOfTheApp(url: string): boolean {
  return !SERVER_PATHS.some((path) => path.test(new URL(url).pathname))
}
