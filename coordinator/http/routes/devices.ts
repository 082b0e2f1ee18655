import type { Express } from 'express'
import { Refusal } from '../../process/errors.ts'
import { listDevices, revokeAllDevices, revokeDevice } from '../../store/accounts/devices.ts'
import type { Parts } from '../parts.ts'
import { currentDevice, currentUser } from '../sign-in/authenticate.ts'

type Wanted = Pick<Parts, 'db' | 'disconnectUser' | 'disconnectDevice' | 'ownerTokenId'>

/** What is signed in, and the end of it: the next request is refused, and open sockets are closed at once. */
export function addDeviceRoutes(app: Express, { db, disconnectUser, disconnectDevice, ownerTokenId }: Wanted): void {
  app.get('/api/me/devices', async (request, response) => {
    response.json({ items: await listDevices(db, currentUser(request).id, currentDevice(request), ownerTokenId) })
  })

  app.delete('/api/me/devices/:id', async (request, response) => {
    const userId = currentUser(request).id
    const deviceId = request.params.id
    refuseOwnToken(deviceId, ownerTokenId)
    if (!(await revokeDevice(db, userId, deviceId)))
      throw new Refusal('not_found', 'Nothing of this id is signed in as you: it may have been signed out already.')
    disconnectDevice(deviceId)
    request.log.info({ event: 'device.revoked', userId, deviceId })
    response.sendStatus(204)
  })

  app.post('/api/me/devices/sign-out-everywhere', async (request, response) => {
    const userId = currentUser(request).id
    // Not the token of the server's own machine: see below.
    await revokeAllDevices(db, userId, ownerTokenId)
    disconnectUser(userId)
    request.log.info({ event: 'device.all_revoked', userId })
    response.sendStatus(204)
  })
}

/**
 * Without its own token the server's machine could make no link, and nobody could sign in again. It lies in the server's files alone.
 * @throws Refusal `conflict` with what to do for whoever wants another
 */
export function refuseOwnToken(tokenId: string, ownerTokenId: string): void {
  if (tokenId !== ownerTokenId) return
  throw new Refusal(
    'conflict',
    'This token belongs to the server itself: errand link needs it to let you in again, so it cannot be revoked. To replace it, stop the server, delete the file owner-token in its data folder, start it again, and revoke the old token.',
  )
}
