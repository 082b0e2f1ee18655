import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, MemoryStore, type Options, type RateLimitInfo, rateLimit } from 'express-rate-limit'
import type { Config } from '../../process/config.ts'
import { Refusal } from '../../process/errors.ts'

const MINUTE_MS = 60_000

export type Limits = {
  signIn: RequestHandler[]
  api: RequestHandler
  /** One count per user of new tasks, retries and messages, over HTTP and sockets. */
  create: RequestHandler
  /** Counts one that came over a socket. @throws Refusal `rate_limited` if there are too many */
  countNew: (userId: string) => Promise<void>
}

const NEW_PER_MINUTE = 120
const NEW = 'new tasks and messages'

/** How often one address or one user may call, counted in memory per process. */
export function createLimits({ trustedProxies }: Pick<Config, 'trustedProxies'>): Limits {
  const begun = new MemoryStore()
  return {
    signIn: [
      ...(trustedProxies === 0 ? [warnOfProxy()] : []),
      perMinute(60, 'sign-in requests', { keyGenerator: byAddress }),
      perMinute(10, 'failed sign-ins', { keyGenerator: byAddress, skipSuccessfulRequests: true }),
    ],
    api: perMinute(1200, 'calls', { keyGenerator: byUser }),
    create: perMinute(NEW_PER_MINUTE, NEW, { keyGenerator: byUser, store: begun }),
    countNew: async (userId) => {
      const { totalHits, resetTime } = await begun.increment(userId)
      if (totalHits > NEW_PER_MINUTE) throw tooMany(NEW_PER_MINUTE, NEW, resetTime)
    },
  }
}

function perMinute(limit: number, what: string, options: Partial<Options>): RequestHandler {
  return rateLimit({
    windowMs: MINUTE_MS,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // A client may send X-Forwarded-For to a server that trusts no proxy; that deserves no warning on the console.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (request) => {
      const { rateLimit } = request as Request & { rateLimit?: RateLimitInfo }
      throw tooMany(limit, what, rateLimit?.resetTime)
    },
    ...options,
  })
}

function tooMany(limit: number, what: string, resetTime: Date | undefined): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(((resetTime?.getTime() ?? Date.now() + MINUTE_MS) - Date.now()) / 1000))
  const when = retryAfterSeconds === 1 ? 'a second' : `${retryAfterSeconds} seconds`
  return new Refusal('rate_limited', `Too many ${what}: the limit is ${limit} a minute. Try again in ${when}.`, {
    retryAfterSeconds,
  })
}

/** Behind an uncounted proxy every visitor has the proxy's address, so the failed sign-ins of one visitor block all others. */
function warnOfProxy(): RequestHandler {
  let warned = false
  return (request, _response, next) => {
    if (!warned && request.get('x-forwarded-for') !== undefined) {
      warned = true
      request.log.warn({ event: 'proxy.not_trusted', why: 'a request had X-Forwarded-For, but ERRAND_TRUSTED_PROXIES is 0' })
    }
    next()
  }
}

/** The caller's address; behind proxies it is only as reliable as `trust proxy`. An IPv6 address counts by its /56. */
function byAddress(request: Request): string {
  return ipKeyGenerator(request.ip ?? 'unknown')
}

function byUser(request: Request): string {
  return request.user?.id ?? byAddress(request)
}
