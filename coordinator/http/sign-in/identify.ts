import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Request, Response } from 'express'
import { deviceIdOf } from '../../store/accounts/devices.ts'
import { findByToken } from '../../store/accounts/tokens.ts'
import { findUser } from '../../store/accounts/users.ts'
import type { Parts } from '../parts.ts'
import { createSession } from './session.ts'

/**
 * Finds the user of a token or a cookie for a caller that is not an Express request: the handshake of a socket. With an unknown token there
 * is no user, even if the cookie is valid.
 */
export function createIdentify(parts: Pick<Parts, 'db' | 'secrets' | 'config'>): Parts['identify'] {
  const session = createSession(parts)
  return async ({ token, cookie }) => {
    if (token !== undefined) return findByToken(parts.db, token)
    const { userId, sessionId } = cookie === undefined ? {} : await readSession(session, cookie)
    const user = userId === undefined ? null : await findUser(parts.db, userId)
    return user && sessionId !== undefined ? { user, deviceId: deviceIdOf(sessionId) } : null
  }
}

/** Lets express-session itself read the cookie and check its signature, on a request that goes nowhere. */
async function readSession(
  session: ReturnType<typeof createSession>,
  cookie: string,
): Promise<{ userId?: string | undefined; sessionId?: string }> {
  const request = Object.assign(new IncomingMessage(new Socket()), { url: '/', headers: { cookie } }) as Request
  await new Promise<void>((resolve, reject) => {
    const done = (error?: unknown) => (error ? reject(error) : resolve())
    void session(request, new ServerResponse(request) as Response, done)
  })
  return { userId: request.session.passport?.user, sessionId: request.sessionID }
}
