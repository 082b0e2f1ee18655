import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, type Options, rateLimit } from 'express-rate-limit'
import type { Config } from '../config.ts'
import { Refusal } from '../errors.ts'

const MINUTE_MS = 60_000

export type Limits = { signIn: RequestHandler[]; api: RequestHandler; create: RequestHandler }

/** How often one address or one user may call, counted in memory per process. */
export const createLimits = ({ trustedProxies }: Pick<Config, 'trustedProxies'>): Limits => ({
  signIn: [
    ...(trustedProxies === 0 ? [warnOfProxy()] : []),
    perMinute(60, 'calls to sign in', { keyGenerator: byAddress }),
    perMinute(10, 'failed attempts to sign in', { keyGenerator: byAddress, skipSuccessfulRequests: true }),
  ],
  api: perMinute(1200, 'calls', { keyGenerator: byUser }),
  create: perMinute(120, 'new tasks', { keyGenerator: byUser }),
})

const perMinute = (limit: number, what: string, options: Partial<Options>): RequestHandler =>
  rateLimit({
    windowMs: MINUTE_MS,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // A client may send X-Forwarded-For to a server that trusts no proxy; that is for nobody's console.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: () => {
      throw new Refusal('rate_limited', `Too many ${what}: ${limit} a minute are taken. Wait for as long as Retry-After says.`)
    },
    ...options,
  })

/** Behind a proxy that is not trusted everybody has its address, and one visitor's failures keep all others from signing in. */
const warnOfProxy = (): RequestHandler => {
  let warned = false
  return (request, _response, next) => {
    if (!warned && request.get('x-forwarded-for') !== undefined) {
      warned = true
      request.log.warn({ event: 'proxy.not_trusted', why: 'X-Forwarded-For came, and ERRAND_TRUSTED_PROXIES is 0' })
    }
    next()
  }
}

/** Behind proxies only as true as `trust proxy`; an IPv6 address counts with its /56. */
const byAddress = (request: Request): string => ipKeyGenerator(request.ip ?? 'unknown')

const byUser = (request: Request): string => request.user?.id ?? byAddress(request)
