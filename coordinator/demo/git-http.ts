import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import type { Logger } from 'pino'
import { REPOSITORY_NAME, WITHOUT_CALLERS_REPOSITORY } from './repository.ts'

type Options = {
  /** Folder that holds the repository. */
  root: string
  username: string
  token: string
  log: Logger
  /** Awaited before every request that is authorized. */
  ready: () => Promise<void>
}

/** The three requests of git's smart HTTP (git's gitprotocol-http(5)), for one repository. Everything else is 404. */
const SERVICES = [
  { method: 'GET', path: '/info/refs' },
  { method: 'POST', path: '/git-upload-pack' },
  { method: 'POST', path: '/git-receive-pack' },
]

/** Git's smart HTTP over `git http-backend`, behind Basic authentication for fetch and push alike. */
export function gitHttp({ root, username, token, log, ready }: Options) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const service = SERVICES.find((one) => one.method === request.method && path.endsWith(`/${REPOSITORY_NAME}${one.path}`))
    if (!service) return answer(response, 404, 'no such repository here\n')
    if (!mayEnter(request, username, token)) {
      response.setHeader('www-authenticate', 'Basic realm="Errand demo", charset="UTF-8"')
      return answer(response, 401, 'the demo repository needs the credentials of this server\n')
    }
    try {
      await ready()
      await runBackend(root, `/${REPOSITORY_NAME}${service.path}`, query, request, response)
    } catch (error) {
      if (response.destroyed) return
      log.error({ event: 'demo.git_failed', err: error }, 'the demo repository could not be served')
      if (response.headersSent) response.destroy()
      else answer(response, 500, 'the demo repository could not be served: is git installed where the coordinator runs?\n')
    }
  }
}

function mayEnter(request: IncomingMessage, username: string, token: string): boolean {
  const [scheme = '', encoded = ''] = (request.headers.authorization ?? '').split(' ', 2)
  const given = scheme.toLowerCase() === 'basic' ? Buffer.from(encoded, 'base64').toString('utf8') : ''
  return timingSafeEqual(digest(given), digest(`${username}:${token}`))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Streams both ways. When the client goes away, the process ends; when the process dies early, the answer ends. */
async function runBackend(root: string, path: string, query: string, request: IncomingMessage, response: ServerResponse) {
  const header = (name: string) => request.headers[name]?.toString() ?? ''
  const env = {
    ...WITHOUT_CALLERS_REPOSITORY,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method ?? '',
    REMOTE_USER: 'errand',
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: request.headers['content-length'],
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
  }
  const backend = execa('git', ['http-backend'], { env, buffer: { stdout: false }, reject: false, stdin: 'pipe' })
  response.once('close', () => backend.kill())
  // git may answer and exit before it has read the whole request. A fault in the request's body then does not matter.
  const sent = pipeline(request, backend.stdin).catch(() => undefined)
  const head = await readHead(backend.stdout)
  if (!head) {
    backend.kill()
    throw new Error(`git http-backend gave no answer: ${(await backend).stderr}`)
  }
  const { status, headers, rest } = head
  response.writeHead(status, headers)
  response.write(rest)
  await pipeline(backend.stdout, response)
  await Promise.all([sent, backend])
}

type Head = { status: number; headers: Record<string, string>; rest: Buffer }

/** The head of a CGI answer (RFC 3875, 6.2): header lines, an empty line, then the body. Null when there is none. */
async function readHead(output: Readable): Promise<Head | null> {
  let seen = Buffer.alloc(0)
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    seen = Buffer.concat([seen, chunk as Buffer])
    const end = /\r?\n\r?\n/.exec(seen.toString('latin1'))
    if (end) return { ...parseHead(seen.toString('latin1', 0, end.index)), rest: seen.subarray(end.index + end[0].length) }
    if (seen.length > 64 * 1024) break
  }
  return null
}

function parseHead(text: string): Omit<Head, 'rest'> {
  const pairs = text.split(/\r?\n/).map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const { status = '200', ...headers } = Object.fromEntries(pairs)
  return { status: Number.parseInt(status, 10), headers }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}
