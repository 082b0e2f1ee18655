import { chmod, chown, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { SOCKET_PATH_BYTES } from '../../contract/wire/names.ts'
import { answer, type Call, type Endpoint } from './endpoint.ts'

export type DoorServerOptions = {
  /** The folder for the socket. */
  directory: string
  /** The socket's name in it, and the user of the sandbox that may open it. */
  name: string
  owner: number
  serve: Endpoint
  /** Null: there is no proxy here. */
  tunnel: ((request: IncomingMessage, client: Duplex, head: Buffer) => Promise<void>) | null
  log: Logger
}

/** More than any package manager opens. They use the runner's file descriptors, which other attempts need too. */
const MAX_CONNECTIONS = 256
/** Calls need their own bound: a caller may send many on one connection without waiting for the answers. */
const MAX_CALLS = MAX_CONNECTIONS

/** Serves HTTP at a unix socket that only one user of the sandbox may open. @throws Error when the socket cannot be made */
export async function openDoorServer(options: DoorServerOptions): Promise<{ close: () => Promise<void> }> {
  const { serve, tunnel, log } = options
  const sockets = new Set<Duplex>()
  const calls = new Set<Promise<void>>()
  const follow = (work: Promise<void>) => {
    const followed = work
      .catch((error: unknown) => log.error({ event: 'gateway.failed', err: error }))
      .finally(() => calls.delete(followed))
    calls.add(followed)
  }
  // A push may take longer to arrive than Node's five minutes for a request; the attempt's own limits bound it.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    if (calls.size < MAX_CALLS) follow(serveSafely(serve, toCall(request, response), log))
    else answer(response, 503, 'Too many calls at once.', { connection: 'close' })
  })
  server.maxConnections = MAX_CONNECTIONS
  if (tunnel) server.on('connect', (request, socket, head) => follow(tunnel(request, socket, head)))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.setMaxListeners(MAX_CALLS + 20)
    socket.once('close', () => sockets.delete(socket))
  })
  const path = await listenIn(options, server)
  return {
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      // A caller that leaves and a door that closes both end a call by closing the caller's socket.
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, ...calls])
      await rm(path, { force: true })
    },
  }
}

async function serveSafely(serve: Endpoint, call: Call, log: Logger): Promise<void> {
  const { request, response, path } = call
  try {
    await serve(call)
  } catch (error) {
    if (!call.gone.aborted) log.error({ event: 'gateway.failed', err: error, method: request.method })
    if (response.headersSent) response.destroy()
    else answer(response, 500, 'The way out of the sandbox failed at this call, which is no fault of the call. Try it once more.')
  }
  log.debug({ event: 'gateway.answered', method: request.method, path: path.slice(0, 200), status: response.statusCode })
}

export function toCall(request: IncomingMessage, response: ServerResponse): Call {
  const gone = new AbortController()
  const { socket } = request
  const leave = () => gone.abort()
  // An answer that waits behind another on its connection has no socket yet: only the request's socket shows that the caller left.
  socket.once('close', leave)
  response.once('close', () => {
    socket.off('close', leave)
    if (!response.writableFinished) leave()
  })
  const [path = '', ...query] = (request.url ?? '').split('?')
  return { request, response, path, query: query.join('?'), gone: gone.signal }
}

async function listenIn({ directory, name, owner }: DoorServerOptions, server: Server): Promise<string> {
  const path = join(directory, name)
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES)
    throw new Error(
      `The sandbox door's path is too long for a unix socket (${SOCKET_PATH_BYTES} bytes at most): ${path}. Use a shorter data folder.`,
    )
  await mkdir(directory, { recursive: true })
  await rm(path, { force: true })
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(path, () => {
      server.off('error', failed)
      done()
    })
  })
  await letIn(owner, directory, path)
  return path
}

/** Without root the runner cannot give the socket to its user, so the closed parent folder guards it from the host, and the token from the hands. */
async function letIn(owner: number, directory: string, path: string): Promise<void> {
  await chmod(directory, 0o711)
  if (process.getuid?.() === 0) {
    await chown(path, owner, owner)
    await chmod(path, 0o600)
  } else await chmod(path, 0o666)
}
