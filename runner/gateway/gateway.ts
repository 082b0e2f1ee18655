import { chmod, chown, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { basename, join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import { DOOR, DOOR_PATHS, SANDBOX_UID } from '../../contract/wire/names.ts'
import type { ArtifactKind, SteerMessage } from '../../contract/wire/sandbox.ts'
import { serveAllowlist } from './allowlist.ts'
import { serveArtifacts } from './artifacts.ts'
import { serveConversation } from './conversation.ts'
import { makeDoorToken } from './door-token.ts'
import { answer, type Call, type Room } from './endpoint.ts'
import { serveFence } from './fence.ts'
import { serveGit } from './git/git.ts'
import { openBudget } from './model/budget.ts'
import { serveModel } from './model/model.ts'
import { isTarball, serveRegistry } from './registry.ts'
import { openUpstream, resolveUpstream } from './upstream.ts'

export type GatewayOptions = {
  lease: Lease
  /** On the host; mounted read-only as the door. The socket is made in it. Keep its parent closed to other users of the host. */
  directory: string
  coordinatorUrl: string
  npmRegistryUrl: string
  /** Hosts that the sandbox may reach on port 443: `example.org` alone, or `.example.org` for all below it. */
  allowedHosts: readonly string[]
  /** Asks the coordinator whether this attempt is still the current one, until it answers; throws when `gone` aborts first. */
  confirmLease: (gone: AbortSignal) => Promise<boolean>
  /** Waits while this attempt's lease has run out; false when `gone` aborts first, or it took longer than `atMostMs`. */
  awaitLease: (gone: AbortSignal, atMostMs: number) => Promise<boolean>
  say: (event: NewEvent) => void
  saveArtifact: (kind: ArtifactKind, body: Readable) => Promise<void>
  /** Takes the last copy of the work for later, while the sandbox is being stopped and the coordinator is away; null while it may wait. */
  keepWork: () => ((bundle: Readable) => Promise<void>) | null
  waitingMessages: () => SteerMessage[]
  openTranscript: () => Promise<Readable | null>
  log: Logger
}

export type Gateway = {
  /** What the sandbox shows at the door; worthless at any other. */
  token: string
  /** Revokes: cuts every live call and connection at once, and returns when all are accounted for. Afterwards nothing answers. */
  close: () => Promise<void>
}

/** More than any package manager opens. They are the runner's own file descriptors, and other attempts need some too. */
const MAX_CONNECTIONS = 256
/** A caller may send one request after the other on a connection without waiting for answers, so the calls have a bound of their own. */
const MAX_CALLS = MAX_CONNECTIONS

/** Warnings and errors in the log about one attempt. */
const MAX_COMPLAINTS = 200

/** What the kernel takes as the path of a unix socket, bytes (`sun_path`, less its end). */
const SOCKET_PATH_BYTES = 107

/**
 * Opens the only door of one attempt's sandbox.
 * @throws Error when the socket cannot be made, or the lease names a model without a price
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const log = sparing(options.log)
  const { token, fits } = makeDoorToken()
  const upstream = openUpstream()
  const allowlist = serveAllowlist({ ...options, log })
  const roomOf = layOutRooms({ ...options, log }, upstream)
  const sockets = new Set<Duplex>()
  const calls = new Set<Promise<void>>()

  const enter = async (call: Call) => {
    const room = roomOf(call.path)
    if (!room) return answer(call.response, 404, 'There is nothing at this path of the sandbox door.')
    if (!room.open && !fits(call.request.headers))
      return answer(call.response, 401, 'The token of this attempt is missing or wrong.', {
        'www-authenticate': 'Basic realm="errand"',
      })
    await room.serve(call)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const call = toCall(request, response)
    try {
      if (isAbsolute(call.path)) allowlist.refuse(call)
      else await enter(call)
    } catch (error) {
      if (!call.gone.aborted) log.error({ event: 'gateway.failed', err: error, method: request.method })
      if (response.headersSent) response.destroy()
      else answer(response, 500, 'The sandbox door failed at this call; the log of the runner says more.')
    }
    log.debug({ event: 'gateway.answered', method: request.method, path: call.path.slice(0, 200), status: response.statusCode })
  }
  const follow = (work: Promise<void>) => {
    const followed = work
      .catch((error: unknown) => log.error({ event: 'gateway.failed', err: error }))
      .finally(() => calls.delete(followed))
    calls.add(followed)
  }

  // A push may take longer to arrive than Node's five minutes for a request: the attempt's own limits bound it.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    if (calls.size < MAX_CALLS) follow(serve(request, response))
    else answer(response, 503, 'Too many calls at once.', { connection: 'close' })
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('connect', (request, socket, head) => follow(allowlist.tunnel(request, socket, head)))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.setMaxListeners(MAX_CALLS + 20)
    socket.once('close', () => sockets.delete(socket))
  })
  const path = await listenAt(server, options.directory)
  log.info({ event: 'gateway.opened' })

  return {
    token,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      // Every call ends by its caller's socket: one way out for a caller that leaves and for a door that shuts.
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, ...calls])
      upstream.close()
      await rm(path, { force: true })
      log.info({ event: 'gateway.closed' })
    },
  }
}

/** The rooms by path. `open` ones need no token: they give nothing that the public does not have. */
function layOutRooms(options: GatewayOptions, upstream: ReturnType<typeof openUpstream>) {
  const { coordinatorUrl, say, log } = options
  const { assignment, access } = options.lease
  const model = serveModel({
    baseUrl: resolveUpstream(access.modelApi.baseUrl, coordinatorUrl),
    key: access.modelApi.key,
    model: assignment.model,
    budget: openBudget(assignment.budgetUsd),
    awaitLease: options.awaitLease,
    upstream,
    say,
    log,
  })
  const repository = { ...access.repo, upstream: resolveUpstream(access.repo.upstream, coordinatorUrl) }
  const git = serveGit({ repository, taskId: assignment.taskId, confirmLease: options.confirmLease, upstream, say, log })
  const npm = serveRegistry({ registryUrl: options.npmRegistryUrl, upstream, log })
  const artifacts = serveArtifacts(options)
  const fence = serveFence(options.confirmLease)
  const conversation = serveConversation(options)
  const task: Room = async ({ request, response }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Only GET is served here.')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(assignment))
  }
  return (path: string): { serve: Room; open: boolean } | null => {
    if (isTarball(path) || path.startsWith(DOOR_PATHS.npm)) return { serve: npm, open: true }
    if (path === DOOR_PATHS.assignment) return { serve: task, open: false }
    if (path === DOOR_PATHS.messages || path === DOOR_PATHS.transcript) return { serve: conversation, open: false }
    if (path.startsWith(`${DOOR_PATHS.model}/`)) return { serve: model, open: false }
    if (path.startsWith('/git/')) return { serve: git, open: false }
    if (path.startsWith(DOOR_PATHS.artifacts)) return { serve: artifacts, open: false }
    if (path === DOOR_PATHS.lease) return { serve: fence, open: false }
    return null
  }
}

/** A sandbox can cause warnings without end, and the log lies on the runner's disk. Those beyond {@link MAX_COMPLAINTS} are left out. */
function sparing(log: Logger): Logger {
  const child = log.child({})
  let left = MAX_COMPLAINTS
  const few = (write: (facts: object) => void) => (facts: object) => {
    if (left-- > 0) write(facts)
  }
  return Object.assign(child, { warn: few(child.warn.bind(child)), error: few(child.error.bind(child)) })
}

function toCall(request: IncomingMessage, response: ServerResponse): Call {
  const gone = new AbortController()
  const { socket } = request
  const leave = () => gone.abort()
  // Of an answer that waits behind another on its connection, only the connection tells that nobody will take it.
  socket.once('close', leave)
  response.once('close', () => {
    socket.off('close', leave)
    if (!response.writableFinished) leave()
  })
  const [path = '', ...query] = (request.url ?? '').split('?')
  return { request, response, path, query: query.join('?'), gone: gone.signal }
}

/** `GET http://host/… HTTP/1.1`: what a client sends to a proxy. */
function isAbsolute(path: string): boolean {
  return !path.startsWith('/')
}

async function listenAt(server: ReturnType<typeof createServer>, directory: string): Promise<string> {
  const path = join(directory, basename(DOOR.socket))
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
  await letSandboxIn(directory, path)
  return path
}

/** Only the sandbox's user needs the socket. Without root it cannot be given to that user, and the closed parent folder must guard it. */
async function letSandboxIn(directory: string, path: string): Promise<void> {
  await chmod(directory, 0o711)
  if (process.getuid?.() === 0) {
    await chown(path, SANDBOX_UID, SANDBOX_UID)
    await chmod(path, 0o600)
  } else await chmod(path, 0o666)
}
