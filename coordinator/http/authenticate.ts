import type { Request, RequestHandler } from 'express'
import { Refusal } from '../errors.ts'
import type { Parts } from '../parts.ts'
import { findUserByToken } from '../store/tokens.ts'
import type { User as KnownUser } from '../user.ts'
import { requireSameOrigin } from './same-origin.ts'

declare global {
  namespace Express {
    interface User extends KnownUser {}
  }
}

/**
 * Lets through whoever shows an API token (`Authorization: Bearer …`) or a browser's session; the session only from our own pages
 * when something is to change. A token that is shown and unknown is refused, whatever the cookie says.
 */
export const authenticate =
  ({ db }: Pick<Parts, 'db'>): RequestHandler =>
  async (request, response, next) => {
    const token = bearerToken(request)
    const user = token === null ? request.user : await findUserByToken(db, token)
    if (!user) {
      response.set('WWW-Authenticate', 'Bearer')
      throw new Refusal('unauthorized', 'Sign in first, or send an API token that is still valid: Authorization: Bearer errand_…')
    }
    if (token === null) requireSameOrigin(request)
    request.user = user
    next()
  }

/** Only behind {@link authenticate}. */
export const currentUser = (request: Request): KnownUser => {
  if (!request.user) throw new Error('a route that needs a user is mounted before authentication')
  return request.user
}

/** @returns null when there is no Authorization header; the empty text when it is not of the Bearer kind */
export const bearerToken = (request: Request): string | null => {
  const header = request.headers.authorization
  return header === undefined ? null : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '')
}
