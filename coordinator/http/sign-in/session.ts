import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Config } from '../../process/config.ts'
import { SESSION_IDLE_MS } from '../../store/accounts/sessions.ts'
import type { Parts } from '../parts.ts'
import { DatabaseSessions } from './session-store.ts'

/**
 * The session of a browser: a signed random id in a cookie, and everything else in the store.
 * Over https the name begins with `__Host-`, so that no other host or path can plant one (RFC 6265bis §4.1.3.2).
 */
export function createSession({ db, secrets, config }: Pick<Parts, 'db' | 'secrets' | 'config'>): RequestHandler {
  const https = isHttps(config)
  const handle = session({
    name: sessionCookieName(config),
    secret: secrets.deriveKey('session cookie').toString('hex'),
    store: new DatabaseSessions(db),
    cookie: { httpOnly: true, sameSite: 'lax', secure: https, path: '/', maxAge: SESSION_IDLE_MS },
    proxy: https,
    rolling: true,
    resave: false,
    saveUninitialized: false,
  })
  return (request, response, next) => {
    // The public address shows whether the browser uses https. A proxy that ends TLS may not tell us, and the cookie would silently be
    // omitted.
    if (https) request.headers['x-forwarded-proto'] = 'https'
    handle(request, response, next)
  }
}

export function sessionCookieName(config: Pick<Config, 'publicUrl'>): string {
  return isHttps(config) ? '__Host-errand' : 'errand'
}

export function isHttps(config: Pick<Config, 'publicUrl'>): boolean {
  return config.publicUrl.startsWith('https:')
}
