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
  // Faces of users come from their git host, wherever that is. The app shows no image that an agent names.
  imgSrc: [...SELF, 'data:', 'https:'],
  fontSrc: SELF,
  connectSrc: SELF,
  workerSrc: SELF,
  manifestSrc: SELF,
  formAction: SELF,
  baseUri: NONE,
  frameAncestors: NONE,
}

/** What a browser may do with our answers: nothing inline, nothing from elsewhere, and in nobody's frame. */
export function securityHeaders(config: Pick<Config, 'publicUrl'>): RequestHandler {
  // Browsers of before 2022 do not take the socket of the same origin for 'self'.
  const socket = config.publicUrl.replace(/^http/, 'ws')
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...POLICY, connectSrc: [...SELF, socket] } },
    strictTransportSecurity: isHttps(config),
    // With `no-referrer` browsers send `Origin: null` even to ourselves, and no form of ours could show where it comes from.
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
}

/** For Bull Board alone: its page has a style element and a base. The font that it asks another host for stays out. */
export const boardHeaders: RequestHandler = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: { ...POLICY, styleSrc: [...SELF, "'unsafe-inline'"], baseUri: SELF },
})

/** Answers with a user's data or a secret are for whoever asked, and for no cache. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store')
  next()
}
