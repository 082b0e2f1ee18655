import type { RequestHandler } from 'express'
import helmet from 'helmet'
import type { Config } from '../../process/config.ts'
import { isHttps } from '../sign-in/session.ts'

const SELF = ["'self'"]
const NONE = ["'none'"]
const POLICY = {
  defaultSrc: NONE,
  scriptSrc: SELF,
  styleSrc: SELF,
  // Avatars come from the users' git host, which may be anywhere. The app shows no image that an agent names.
  imgSrc: [...SELF, 'data:', 'https:'],
  fontSrc: SELF,
  connectSrc: SELF,
  workerSrc: SELF,
  manifestSrc: SELF,
  formAction: SELF,
  baseUri: NONE,
  frameAncestors: NONE,
}

/** What a browser may do with our answers: nothing inline, nothing from other hosts, and in no frame. */
export function securityHeaders(config: Pick<Config, 'publicUrl'>): RequestHandler {
  // For browsers from before 2022, 'self' does not include the socket of the same origin.
  const socket = config.publicUrl.replace(/^http/, 'ws')
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...POLICY, connectSrc: [...SELF, socket] } },
    strictTransportSecurity: isHttps(config),
    // With `no-referrer`, browsers send `Origin: null` even to us, and our own forms could not prove where they come from.
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
}

/** Only for Bull Board: its page has a style element and a base. The font that it requests from another host stays blocked. */
export const boardHeaders: RequestHandler = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: { ...POLICY, styleSrc: [...SELF, "'unsafe-inline'"], baseUri: SELF },
})

/** Answers with a user's data or a secret must stay out of every cache. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store')
  next()
}
