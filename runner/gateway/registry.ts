import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { answer, type Endpoint, pickHeaders } from './endpoint.ts'
import { failureText, type Upstream } from './upstream.ts'

/**
 * A name as the registry allows it; `/` or npm's own `%2f` joins a scope to it. No name begins with a dot, so none climbs. None begins with a
 * dash either: the registry keeps everything that is not a package below such a name.
 */
const NAME = '(?:@[\\w~-][\\w.~-]*(?:/|%2[fF]))?[\\w~][\\w.~-]*'
const TARBALL = new RegExp(`^/${NAME}/-/[\\w~-][\\w.~+-]*\\.tgz$`)
/** The document of a package, or of one version or tag of it. */
const DOCUMENT = new RegExp(`^/${NAME}(?:/[\\w~][\\w.~+-]*)?$`)

/** What npm asks for when it installs: a document without readmes and the like. */
const SHORT_DOCUMENT = 'application/vnd.npm.install-v1+json'

const ANSWER_HEADERS = ['content-type', 'content-encoding', 'content-length', 'etag', 'last-modified', 'cache-control'] as const

/**
 * True for a tarball's path at the root of the door. Documents name tarballs at the registry's own host. npm replaces that host by the
 * configured registry's but drops its path (pacote, `lib/remote.js`), so it asks here without `/npm`. Documents pass unchanged, because npm
 * writes the addresses in them into lock files.
 */
export function isTarball(path: string): boolean {
  return TARBALL.test(path)
}

/**
 * npm's registry, read-only: GET and HEAD of package documents and tarballs. Only the path of a call reaches the registry: no header, no
 * query, no credentials of the caller.
 */
export function serveRegistry(options: { registryUrl: string; upstream: Upstream; log: Logger }): Endpoint {
  const registry = options.registryUrl.replace(/\/+$/, '')
  return async ({ request, response, path, query, gone }) => {
    const wanted = path.startsWith(DOOR_PATHS.npm) ? path.slice(DOOR_PATHS.npm.length - 1) : path
    const method = request.method ?? ''
    if (method !== 'GET' && method !== 'HEAD')
      return answer(response, 403, `The sandbox may only read from the package registry: ${method} is refused.`)
    if (query !== '' || !(TARBALL.test(wanted) || DOCUMENT.test(wanted)))
      return answer(response, 403, 'The sandbox may only fetch package documents and tarballs from the package registry.')
    const headers = {
      accept: request.headers.accept?.includes(SHORT_DOCUMENT) ? SHORT_DOCUMENT : '*/*',
      'accept-encoding': request.headers['accept-encoding']?.includes('gzip') ? 'gzip' : 'identity',
    }
    try {
      const found = await options.upstream.call({ url: `${registry}${wanted}`, method, headers, signal: gone })
      const status = found.statusCode ?? 502
      if (status >= 300 && status < 400 && status !== 304) {
        found.destroy()
        return answer(
          response,
          502,
          'The package registry answered with a redirect, which the sandbox door does not follow. Ask the administrator of this server to set RUNNER_NPM_REGISTRY to its real address.',
        )
      }
      response.writeHead(status, pickHeaders(found, ANSWER_HEADERS))
      await pipeline(found, response)
    } catch (error) {
      if (gone.aborted || response.headersSent) return void response.destroy()
      options.log.warn({ event: 'registry.unreachable', reason: failureText(error) })
      answer(response, 502, `The package registry cannot be reached (${failureText(error)}).`)
    }
  }
}
