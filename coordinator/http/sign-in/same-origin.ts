import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../process/errors.ts'

/**
 * A browser sends our cookie with requests from any page, so a request that changes something must come from our own pages. Browsers name
 * the page in `Sec-Fetch-Site`, or, on plain http from another machine, only in `Origin` (Fetch standard; OWASP CSRF cheat sheet, "Fetch
 * Metadata headers"). Programs use a token and skip this check.
 * @throws Refusal `forbidden`
 */
export function requireSameOrigin(request: Request): void {
  if (SAFE_METHODS.has(request.method)) return
  const site = request.get('sec-fetch-site')
  const same = site === undefined ? hostOf(request.get('origin')) === request.get('host') : site === 'same-origin'
  if (!same)
    throw new Refusal(
      'forbidden',
      'This request did not come from a page of this server. Use an API token, or open the page again.',
    )
}

export const sameOrigin: RequestHandler = (request, _response, next) => {
  requireSameOrigin(request)
  next()
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

function hostOf(origin: string | undefined): string | null {
  return origin && URL.canParse(origin) ? new URL(origin).host : null
}
