import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../process/errors.ts'
import { deviceIdOf } from '../../store/accounts/devices.ts'
import { findByToken } from '../../store/accounts/tokens.ts'
import type { User as KnownUser, SignedIn } from '../../store/user.ts'
import type { Parts } from '../parts.ts'
import { requireSameOrigin } from './same-origin.ts'

declare global {
  namespace Express {
    interface User extends KnownUser {}
    interface Request {
      /** The device that the user is signed in with. {@link authenticate} sets it together with `user`. */
      deviceId?: string
    }
  }
}

/**
 * Lets a request through if it has an API token (`Authorization: Bearer …`) or a browser's session. A session may change something only
 * from our own pages. An unknown token is refused even if the cookie is valid.
 */
export function authenticate({ db }: Pick<Parts, 'db'>): RequestHandler {
  return async (request, response, next) => {
    const token = bearerToken(request)
    const signedIn = token === null ? sessionOf(request) : await findByToken(db, token)
    if (!signedIn) {
      response.set('WWW-Authenticate', 'Bearer')
      throw new Refusal('unauthorized', 'Sign in first, or send an API token that is still valid: Authorization: Bearer errand_…')
    }
    if (token === null) requireSameOrigin(request)
    Object.assign(request, signedIn)
    next()
  }
}

/** Only behind {@link authenticate}. */
export function currentUser(request: Request): KnownUser {
  if (!request.user) throw new Error('a route that needs a user is mounted before authentication')
  return request.user
}

/** @returns the device that the user is signed in with. Only behind {@link authenticate}. */
export function currentDevice(request: Request): string {
  if (!request.deviceId) throw new Error('a route that needs a device is mounted before authentication')
  return request.deviceId
}

/** Only behind {@link authenticate}. @throws Refusal `forbidden` */
export const requireAdmin: RequestHandler = (request, _response, next) => {
  if (!currentUser(request).admin)
    throw new Refusal('forbidden', 'Admins only. The administrator of this server can add you to ERRAND_ADMINS.')
  next()
}

function sessionOf({ user, sessionID }: Request): SignedIn | null {
  return user ? { user, deviceId: deviceIdOf(sessionID) } : null
}

/** @returns null without an Authorization header; an empty text if it is not a Bearer token */
export function bearerToken(request: Request): string | null {
  const header = request.headers.authorization
  return header === undefined ? null : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '')
}
