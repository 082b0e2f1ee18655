import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * Makes the attempt's token. Only its hash is kept here; the text goes into the sandbox, where anybody may read it: it is worth
 * something at this one socket alone.
 */
export function makeDoorToken(): { token: string; fits: (headers: IncomingHttpHeaders) => boolean } {
  const token = randomBytes(32).toString('base64url')
  const hash = sha256(token)
  return { token, fits: (headers) => shownTokens(headers).some((shown) => timingSafeEqual(sha256(shown), hash)) }
}

/** The ways in which the clients show it: SDKs by Bearer or `x-api-key`, git by Bearer or as a Basic password. */
function shownTokens(headers: IncomingHttpHeaders): string[] {
  const shown: string[] = []
  const key = headers['x-api-key']
  if (typeof key === 'string') shown.push(key)
  const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ', 2)
  if (/^bearer$/i.test(scheme)) shown.push(credentials)
  if (/^basic$/i.test(scheme))
    shown.push(
      Buffer.from(credentials, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, ''),
    )
  return shown
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
