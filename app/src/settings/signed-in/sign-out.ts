import { ApiError } from '../../../../client/api/api-error.ts'
import type { Client } from '../../client/client.ts'
import { unsubscribe, unsubscribeHere } from '../../device/push.ts'
import { words } from '../../text/words.ts'

/**
 * Signs this browser out and removes everything of the user from it: notifications, drafts, saved data and unsent messages.
 * @throws ApiError if the server does not answer; nothing is removed then
 */
export async function signOutHere(client: Client): Promise<void> {
  // First, because it needs the session. A push service that does not answer must not block the sign-out.
  await unsubscribe(client.api).catch(() => {})
  const response = await fetch('/auth/logout', { method: 'POST', redirect: 'manual' }).catch((error: unknown) => {
    throw new ApiError('unreachable', words.common.noAnswer, { cause: error })
  })
  if (!response.ok && response.type !== 'opaqueredirect') throw new ApiError('unavailable', words.common.badAnswer)
  await clearDevice(client)
}

/** Removes everything from this device and goes to the sign-in screen. */
export async function clearDevice(client: Client): Promise<void> {
  client.connection.close()
  client.stopKeeping()
  client.outbox.clear()
  client.drafts.clear()
  // The next user of this browser must not receive these notifications.
  await unsubscribeHere().catch(() => null)
  await client.storage.clear()
  location.assign('/sign-in')
}
