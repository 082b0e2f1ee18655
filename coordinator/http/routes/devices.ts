import { Refusal } from '../../process/errors.ts'
import { listDevices, revokeAllDevices, revokeDevice } from '../../store/accounts/devices.ts'
import { issueToken, listTokens } from '../../store/accounts/tokens.ts'
import type { Parts } from '../parts.ts'
import type { Serve } from '../serve-endpoint.ts'
import { currentDevice } from '../sign-in/authenticate.ts'

type Wanted = Pick<Parts, 'db' | 'disconnectUser' | 'disconnectDevice' | 'ownerTokenId'>

/**
 * Lists and revokes what is signed in as a user: browsers and API tokens. A revoked one has its next request refused and its open sockets
 * closed at once.
 */
export function addDeviceRoutes(serve: Serve, { db, disconnectUser, disconnectDevice, ownerTokenId }: Wanted): void {
  /** @throws Refusal `not_found` with this sentence */
  const revoke = async (userId: string, deviceId: string, notFound: string) => {
    refuseOwnToken(deviceId, ownerTokenId)
    if (!(await revokeDevice(db, userId, deviceId))) throw new Refusal('not_found', notFound)
    disconnectDevice(deviceId)
  }

  serve('listDevices', async ({ user, request }) => ({
    items: await listDevices(db, user.id, currentDevice(request), ownerTokenId),
  }))
  serve('revokeDevice', async ({ user, params, request }) => {
    await revoke(user.id, params.id, 'You have no device with this id. It may have been signed out already.')
    request.log.info({ event: 'device.revoked', userId: user.id, deviceId: params.id })
  })
  serve('revokeAllDevices', async ({ user, request }) => {
    // The server's own token stays: see `refuseOwnToken`.
    await revokeAllDevices(db, user.id, ownerTokenId)
    disconnectUser(user.id)
    request.log.info({ event: 'device.all_revoked', userId: user.id })
  })

  serve('listTokens', async ({ user }) => ({ items: await listTokens(db, user.id) }))
  serve('createToken', ({ user, body }) => issueToken(db, user.id, body.name))
  serve('revokeToken', ({ user, params }) => revoke(user.id, params.id, 'You have no API token with this id.'))
}

/**
 * Without its own token the server's machine could make no sign-in link, and nobody could sign in again. Only the server's files contain
 * it.
 * @throws Refusal `conflict` that says how to replace it
 */
function refuseOwnToken(tokenId: string, ownerTokenId: string): void {
  if (tokenId !== ownerTokenId) return
  throw new Refusal(
    'conflict',
    'This token belongs to the server itself: errand link needs it to sign you in again, so it cannot be revoked. To replace it, stop the server, delete the file owner-token in its data folder, start it again, and revoke the old token.',
  )
}
