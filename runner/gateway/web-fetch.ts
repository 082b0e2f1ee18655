import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Logger } from 'pino'
import type { Address, Admit } from './allowlist.ts'
import { answer, type Endpoint } from './endpoint.ts'
import { failureText } from './upstream.ts'

export type WebFetchOptions = {
  admit: Admit
  allowedHosts: readonly string[]
  log: Logger
  /** Sends a request; tests have a server of their own. */
  send?: (options: RequestOptions) => ReturnType<typeof httpsRequest>
}

const MAX_BYTES = 2 * 1024 * 1024
const MAX_MS = 30_000
const MAX_REDIRECTS = 5
const MAX_AT_ONCE = 4
const TEXT = /^(text\/|application\/(([\w.-]+\+)?(json|xml)|javascript|x-ndjson|yaml|x-yaml|toml))/i

/**
 * Fetches one page of an allowed host for the sandbox: GET over https alone, text alone, bounded in bytes and time, without a header of the
 * caller's. Each redirect is checked like the first address.
 */
export function serveWebFetch({ admit, allowedHosts, log, send = httpsRequest }: WebFetchOptions): Endpoint {
  let underWay = 0
  return async ({ request, response, query, gone }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Use GET here.')
    if (underWay >= MAX_AT_ONCE) return answer(response, 429, 'Other pages are being fetched. Try again in a moment.')
    underWay += 1
    try {
      const signal = AbortSignal.any([gone, AbortSignal.timeout(MAX_MS)])
      const page = await follow(new URLSearchParams(query).get('url') ?? '', { admit, allowedHosts, send, signal })
      if ('refusal' in page) return answer(response, page.status, page.refusal)
      const { body, isCut, type, url, status } = page
      response.writeHead(200, {
        'content-type': type,
        'x-page-url': encodeURI(url),
        'x-page-status': status,
        'x-page-cut': String(isCut),
      })
      response.end(body)
    } catch (error) {
      log.debug({ event: 'web_fetch.failed', reason: failureText(error) })
      if (!response.headersSent) answer(response, 502, 'The page could not be fetched: its host did not answer, or not in time.')
    } finally {
      underWay -= 1
    }
  }
}

type Refused = { refusal: string; status: number }
type Page = { body: Buffer; isCut: boolean; type: string; url: string; status: number }
type Way = Required<Omit<WebFetchOptions, 'log'>> & { signal: AbortSignal }

async function follow(address: string, way: Way): Promise<Page | Refused> {
  let next = address
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const url = URL.canParse(next) ? new URL(next) : null
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '')
      return { status: 400, refusal: 'Give a whole https:// address, without a user or a password.' }
    const host = url.hostname.toLowerCase().replace(/\.$/, '')
    const admitted = await way.admit(host, Number(url.port || 443), 'GET')
    if (!admitted.ok) return { status: admitted.status, refusal: `${admitted.advice} ${allowedText(way.allowedHosts)}` }
    const reply = await get(url, admitted.addresses, way)
    const { location } = reply.headers
    if (location === undefined || (reply.statusCode ?? 0) < 300 || (reply.statusCode ?? 0) >= 400) return pageOf(url.href, reply)
    reply.destroy()
    next = URL.canParse(location, url.href) ? new URL(location, url.href).href : ''
  }
  return { status: 502, refusal: `The page redirects more than ${MAX_REDIRECTS} times.` }
}

async function get(url: URL, addresses: Address[], { send, signal }: Way): Promise<IncomingMessage> {
  // The checked addresses: a second look-up of the name could answer otherwise.
  const [first] = addresses
  const lookup: LookupFunction = (_host, { all }, done) =>
    all ? done(null, addresses) : done(null, first?.address ?? '', first?.family)
  const headers = {
    accept: 'text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1',
    'accept-encoding': 'identity',
    'user-agent': 'Errand',
  }
  const { hostname, pathname, search } = url
  const outgoing = send({
    host: hostname,
    port: 443,
    path: `${pathname}${search}`,
    method: 'GET',
    headers,
    lookup,
    signal,
    agent: false,
  })
  outgoing.end()
  const [reply] = (await once(outgoing, 'response')) as [IncomingMessage]
  return reply
}

async function pageOf(url: string, reply: IncomingMessage): Promise<Page | Refused> {
  const type = reply.headers['content-type'] ?? 'text/plain'
  const encoding = reply.headers['content-encoding'] ?? 'identity'
  const status = reply.statusCode ?? 0
  if (!TEXT.test(type) || encoding !== 'identity') {
    reply.destroy()
    return {
      status: 415,
      refusal: `The page is no plain text (${readable(encoding === 'identity' ? type : encoding)}). Fetch it with curl in bash.`,
    }
  }
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of reply as AsyncIterable<Buffer>) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > MAX_BYTES) break
  }
  return { body: Buffer.concat(pieces).subarray(0, MAX_BYTES), isCut: bytes > MAX_BYTES, type, url, status }
}

function allowedText(hosts: readonly string[]): string {
  if (hosts.length === 0) return 'No host is allowed here.'
  const names = hosts.slice(0, 50).map((host) => (host.startsWith('.') ? `all below ${host.slice(1)}` : host))
  return `Allowed: ${names.join(', ')}.`
}

function readable(text: string): string {
  return text.replace(/[^\w/;=.+ -]/g, '?').slice(0, 100)
}
