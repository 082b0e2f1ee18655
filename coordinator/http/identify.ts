import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Request, Response } from 'express'
import type { Parts } from '../parts.ts'
import { findUserByToken } from '../store/tokens.ts'
import { findUser } from '../store/users.ts'
import { createSession } from './session.ts'

/**
 * Who shows this token or this cookie? For callers that are no Express request: the handshake of a socket.
 * A token that is shown and unknown is nobody, whatever the cookie says.
 */
export const createIdentify = (parts: Pick<Parts, 'db' | 'secrets' | 'config'>): Parts['identify'] => {
  const session = createSession(parts)
  return async ({ token, cookie }) => {
    if (token !== undefined) return findUserByToken(parts.db, token)
    const userId = cookie === undefined ? undefined : await signedInUser(session, cookie)
    return userId === undefined ? null : findUser(parts.db, userId)
  }
}

/** Lets express-session itself read the cookie and check its signature, on a request that goes nowhere. */
const signedInUser = async (session: ReturnType<typeof createSession>, cookie: string): Promise<string | undefined> => {
  const request = Object.assign(new IncomingMessage(new Socket()), { url: '/', headers: { cookie } }) as Request
  await new Promise<void>((resolve, reject) => {
    const done = (error?: unknown) => (error ? reject(error) : resolve())
    void session(request, new ServerResponse(request) as Response, done)
  })
  return request.session.passport?.user
}
