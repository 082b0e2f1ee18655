import { ApiError } from '../../client/api-error.ts'
import type { Client } from '../../client/client.ts'
import { unsubscribe, unsubscribeHere } from '../../device/push.ts'
import { words } from '../../words.ts'

/**
 * Signs this browser out and leaves nothing of the user on it: notifications, drafts, what was saved and what was not sent.
 * @throws ApiError when the server does not answer; then everything is still there
 */
export async function forgetUser(client: Client): Promise<void> {
  // First, because it needs the session. A push service that is away must not keep anybody signed in.
  await unsubscribe(client.api).catch(() => {})
  const response = await fetch('/auth/logout', { method: 'POST', redirect: 'manual' }).catch((error: unknown) => {
    throw new ApiError('unreachable', words.common.noAnswer, { cause: error })
  })
  if (!response.ok && response.type !== 'opaqueredirect') throw new ApiError('unavailable', words.common.badAnswer)
  await leaveNothing(client)
}

/** Empties this device, and begins anew at the sign-in. */
export async function leaveNothing(client: Client): Promise<void> {
  client.connection.close()
  client.stopKeeping()
  client.outbox.clear()
  client.drafts.clear()
  // Whoever signs in here next must not be told of it unasked.
  await unsubscribeHere().catch(() => null)
  await client.storage.clear()
  location.assign('/sign-in')
}
