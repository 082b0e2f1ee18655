import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../process/errors.ts'

/**
 * A cookie comes along whoever made the browser send it; so a request that changes something must come from our own pages.
 * Browsers say so in `Sec-Fetch-Site`, and on plain http beyond this machine, where they leave it out, in `Origin`
 * (Fetch standard; OWASP CSRF cheat sheet, "Fetch Metadata headers"). Programs use a token, and are not asked.
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
