import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import { DOOR_PATHS } from '../../contract/wire/names.ts'
import type { Said } from '../../contract/wire/prompt.ts'
import type { ArtifactKind, Machine } from '../../contract/wire/sandbox.ts'
import { serveAllowlist } from './allowlist.ts'
import { serveArtifacts } from './artifacts.ts'
import { type MessagesToAgent, serveConversation } from './conversation.ts'
import { openDoorServer } from './door-server.ts'
import { answer, answerJson, type Endpoint } from './endpoint.ts'
import { serveFence } from './fence.ts'
import { serveGit } from './git/git.ts'
import { createBudget } from './model/budget.ts'
import { serveModel } from './model/model.ts'
import { isTarball, serveRegistry } from './registry.ts'
import { openUpstream, resolveUpstream, type Upstream } from './upstream.ts'

export type GatewayOptions = {
  lease: Lease
  /** On the host, mounted read-only as the door; the socket is made in it. Keep its parent closed to other users of the host. */
  directory: string
  coordinatorUrl: string
  npmRegistryUrl: string
  machine: Machine
  /** Asks the coordinator, until it answers, whether this attempt is still the current one; throws when `gone` aborts first. */
  confirmLease: (gone: AbortSignal) => Promise<boolean>
  /** Waits until this attempt has a valid lease; false if `gone` aborts first or it takes longer than `atMostMs`. */
  awaitLease: (gone: AbortSignal, atMostMs: number) => Promise<boolean>
  emit: (event: NewEvent) => void
  saveArtifact: (kind: ArtifactKind, body: Readable) => Promise<void>
  /** The attempt's limit, US dollars, which a person may raise while it runs; absent: what the assignment says. */
  limitUsd?: () => number
  /**
   * Stores the last copy of the work on this host if the sandbox is being stopped while the coordinator is away; null if the work can wait.
   */
  keepWork: () => ((bundle: Readable) => Promise<void>) | null
  messages: MessagesToAgent
  /** The model API took a request with these words of the person. */
  modelTook: (said: readonly Said[]) => void
  openTranscript: () => Promise<Readable | null>
  log: Logger
}

export type Gateway = {
  /** The token that the sandbox presents at this door; worthless at any other. */
  token: string
  /** Closes the door: cuts every call and connection at once, and returns when all have ended. Afterwards nothing answers. */
  close: () => Promise<void>
}

/** How many warnings and errors about one attempt are logged. */
const MAX_COMPLAINTS = 200

/**
 * Opens the only door of one attempt's sandbox.
 * @throws Error when the socket cannot be made, or the lease names a model without a price
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { directory } = options
  const log = limitComplaints(options.log)
  const { token, fits } = createDoorToken()
  const upstream = openUpstream()
  const { tunnel, refuse } = serveAllowlist({ ...options, allowedHosts: options.machine.allowedHosts, log })
  const endpointAt = layOutEndpoints({ ...options, log }, upstream)
  const serve: Endpoint = async (call) => {
    if (isForProxy(call.path)) return refuse(call)
    const endpoint = endpointAt(call.path)
    if (!endpoint) return answer(call.response, 404, 'The sandbox door serves nothing at this path.')
    if (!endpoint.open && !fits(call.request.headers))
      return answer(call.response, 401, 'The token of this attempt is missing or wrong.', {
        'www-authenticate': 'Basic realm="errand"',
      })
    await endpoint.serve(call)
  }
  const server = await openDoorServer({ directory, serve, tunnel, log })
  log.info({ event: 'gateway.opened' })
  return {
    token,
    close: async () => {
      await server.close()
      upstream.close()
      log.info({ event: 'gateway.closed' })
    },
  }
}

/** Returns the endpoint of each path. `open` ones need no token: they serve only public data. */
function layOutEndpoints(options: GatewayOptions, upstream: Upstream) {
  const { coordinatorUrl, emit, log } = options
  const { assignment, access } = options.lease
  const budget = createBudget(options.limitUsd ?? assignment.budgetUsd)
  const model = serveModel({
    baseUrl: resolveUpstream(access.modelApi.baseUrl, coordinatorUrl),
    key: access.modelApi.key,
    model: assignment.model,
    budget,
    awaitLease: options.awaitLease,
    onTaken: options.modelTook,
    upstream,
    emit,
    log,
  })
  const repository = { ...access.repo, upstream: resolveUpstream(access.repo.upstream, coordinatorUrl) }
  const git = serveGit({ repository, taskId: assignment.taskId, confirmLease: options.confirmLease, upstream, emit, log })
  const npm = serveRegistry({ registryUrl: options.npmRegistryUrl, upstream, log })
  const artifacts = serveArtifacts(options)
  const fence = serveFence(options.confirmLease)
  const conversation = serveConversation(options)
  const task: Endpoint = async ({ request, response }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Use GET here.')
    answerJson(response, { ...assignment, machine: options.machine })
  }
  const money: Endpoint = async ({ request, response }) => {
    if (request.method !== 'GET') return answer(response, 405, 'Use GET here.')
    answerJson(response, budget.money())
  }
  return (path: string): { serve: Endpoint; open: boolean } | null => {
    if (isTarball(path) || path.startsWith(DOOR_PATHS.npm)) return { serve: npm, open: true }
    if (path === DOOR_PATHS.assignment) return { serve: task, open: false }
    if (path === DOOR_PATHS.money) return { serve: money, open: false }
    if (path === DOOR_PATHS.messages || path === DOOR_PATHS.transcript) return { serve: conversation, open: false }
    if (path.startsWith(`${DOOR_PATHS.model}/`)) return { serve: model, open: false }
    if (path.startsWith('/git/')) return { serve: git, open: false }
    if (path.startsWith(DOOR_PATHS.artifacts)) return { serve: artifacts, open: false }
    if (path === DOOR_PATHS.lease) return { serve: fence, open: false }
    return null
  }
}

/** `GET http://host/… HTTP/1.1`: what a client sends to a proxy. */
function isForProxy(path: string): boolean {
  return !path.startsWith('/')
}

/**
 * Makes the attempt's token. Only its hash stays here. The text goes into the sandbox, where every process may read it: it opens this one
 * socket and nothing else.
 */
function createDoorToken(): { token: string; fits: (headers: IncomingHttpHeaders) => boolean } {
  const token = randomBytes(32).toString('base64url')
  const hash = sha256(token)
  return { token, fits: (headers) => shownTokens(headers).some((shown) => timingSafeEqual(sha256(shown), hash)) }
}

/** The tokens in the headers of a call: SDKs send them as Bearer or `x-api-key`, git as Bearer or as a Basic password. */
function shownTokens(headers: IncomingHttpHeaders): string[] {
  const shown: string[] = []
  const key = headers['x-api-key']
  if (typeof key === 'string') shown.push(key)
  const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ', 2)
  if (/^bearer$/i.test(scheme)) shown.push(credentials)
  const basic = Buffer.from(credentials, 'base64').toString('utf8')
  if (/^basic$/i.test(scheme)) shown.push(basic.replace(/^[^:]*:/, ''))
  return shown
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Drops warnings and errors beyond {@link MAX_COMPLAINTS}: a sandbox can cause them without end, and the log is on the runner's disk. */
function limitComplaints(log: Logger): Logger {
  const child = log.child({})
  let left = MAX_COMPLAINTS
  const limit = (write: (facts: object) => void) => (facts: object) => {
    if (left-- > 0) write(facts)
  }
  return Object.assign(child, { warn: limit(child.warn.bind(child)), error: limit(child.error.bind(child)) })
}
