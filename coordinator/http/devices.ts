import type { Express } from 'express'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { listDevices, revokeAllDevices, revokeDevice } from '../store/devices.ts'
import { currentDevice, currentUser } from './authenticate.ts'

type Wanted = Pick<Parts, 'db' | 'disconnectUser' | 'disconnectDevice' | 'ownerTokenId'>

/** What is signed in, and the end of it: the next request is refused, and open sockets are closed at once. */
export const addDeviceRoutes = (app: Express, { db, disconnectUser, disconnectDevice, ownerTokenId }: Wanted): void => {
  app.get('/api/me/devices', async (request, response) => {
    response.json({ items: await listDevices(db, currentUser(request).id, currentDevice(request)) })
  })

  app.delete('/api/me/devices/:id', async (request, response) => {
    const userId = currentUser(request).id
    const deviceId = request.params.id
    if (!(await revokeDevice(db, userId, deviceId)))
      throw new Refusal('not_found', 'Nothing of this id is signed in as you: it may have been signed out already.')
    disconnectDevice(deviceId)
    request.log.info({ event: 'device.revoked', userId, deviceId })
    response.sendStatus(204)
  })

  app.post('/api/me/devices/sign-out-everywhere', async (request, response) => {
    const userId = currentUser(request).id
    // Without its own token this machine could make no link to sign in again. It is read from the server's files alone.
    await revokeAllDevices(db, userId, ownerTokenId)
    disconnectUser(userId)
    request.log.info({ event: 'device.all_revoked', userId })
    response.sendStatus(204)
  })
}
