import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { toCall } from '../gateway/door-server.ts'
import { answer } from '../gateway/endpoint.ts'
import { serveGit } from '../gateway/git/git.ts'
import type { Repository } from '../gateway/git/git-host.ts'
import { openUpstream } from '../gateway/upstream.ts'

export type Relay = {
  /** The repository's address on 127.0.0.1. */
  url: string
  /** The value of the `Authorization` header that opens it. */
  authorization: string
  close: () => Promise<void>
}

/**
 * Shows one repository of a git host on 127.0.0.1, to fetch from, for as long as a patch is made. The host's git then works as the sandbox's
 * does: the real token, the certificates and the redirects are the runner's own business, and git itself never holds the token.
 */
export async function openRelay(repository: Repository, log: Logger): Promise<Relay> {
  const authorization = `Bearer ${randomBytes(32).toString('base64url')}`
  const upstream = openUpstream()
  // No lease: a push is refused.
  const serve = serveGit({ repository, taskId: '', confirmLease: async () => false, upstream, emit: () => undefined, log })
  const server = createServer((request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    const wanted = Buffer.from(authorization)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return answer(response, 401, 'Not for you.')
    serve(toCall(request, response)).catch((error: unknown) => {
      log.warn({ event: 'patch.relay_failed', err: error })
      response.destroy()
    })
  })
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(0, '127.0.0.1', done)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${DOOR_PATHS.git}`,
    authorization,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      server.closeAllConnections()
      await closed
      upstream.close()
    },
  }
}
