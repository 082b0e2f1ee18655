import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { NewEvent } from '../../contract/api/event.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import { AGENT_UID, DOOR, DOOR_PATHS, HANDS_UID } from '../../contract/wire/names.ts'
import type { Said } from '../../contract/wire/prompt.ts'
import type { ArtifactKind, Behind, Machine } from '../../contract/wire/sandbox.ts'
import { serveAllowlist } from './allowlist.ts'
import { serveArtifacts } from './artifacts.ts'
import { type MessagesToAgent, serveConversation } from './conversation.ts'
import { type DoorServerOptions, openDoorServer } from './door-server.ts'
import { answer, answerJson, type Endpoint } from './endpoint.ts'
import { serveFence } from './fence.ts'
import { serveGit } from './git/git.ts'
import { createBudget } from './model/budget.ts'
import { serveModel } from './model/model.ts'
import { isTarball, serveRegistry } from './registry.ts'
import { serveTail } from './tail.ts'
import { openUpstream, resolveUpstream, type Upstream } from './upstream.ts'
import { serveWebFetch } from './web-fetch.ts'

export type GatewayOptions = {
  lease: Lease
  /** On the host, mounted read-only as the door; its two sockets are made in it. Keep its parent closed to other users of the host. */
  directory: string
  coordinatorUrl: string
  npmRegistryUrl: string
  machine: Machine
  /** Asks the coordinator, until it answers, whether this attempt is still the current one; throws when `gone` aborts first. */
  confirmLease: (gone: AbortSignal) => Promise<boolean>
  /** Waits until this attempt has a valid lease; false if `gone` aborts first or it takes longer than `atMostMs`. */
  awaitLease: (gone: AbortSignal, atMostMs: number) => Promise<boolean>
  emit: (event: NewEvent) => void
  saveArtifact: (kind: ArtifactKind, body: Readable, more?: { behind?: Behind | undefined; atMostMs?: number }) => Promise<void>
  /** The attempt's limit, US dollars, which a person may raise while it runs; absent: what the assignment says. */
  limitUsd?: () => number
  /**
   * Stores the last copy of the work on this host if the sandbox is being stopped while the coordinator is away; null if the work can wait.
   */
  keepWork: () => ((bundle: Readable) => Promise<void>) | null
  /** Whether this attempt pushed to the task's branch. */
  hasPushed: () => boolean
  messages: MessagesToAgent
  /** The model API took a request with these words of the person. */
  modelTook: (said: readonly Said[]) => void
  openTranscript: () => Promise<Readable | null>
  openCheckpoint: () => Promise<Readable | null>
  /** The token that the sandbox already has, and what the attempt has spent, US dollars, if an earlier process of this runner began it. */
  resumed?: { token: string; spentUsd: number }
  /** Starts the sandbox's hands again. @throws Error when it cannot */
  startHands: () => Promise<void>
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
 * Opens the only door of one attempt's sandbox, with two ways in: the agent's, which takes the token, and that of its hands, which leads to
 * this task's repository, the registries and allowed hosts, and to nothing of the agent's.
 * @throws Error when a socket cannot be made, or the lease names a model without a price
 */
export async function openGateway(given: GatewayOptions): Promise<Gateway> {
  const { directory } = given
  const options = { ...given, log: limitComplaints(given.log) }
  const { log } = options
  const upstream = openUpstream()
  const agents = serveAgent(options, upstream)
  const hands = serveHands(options, upstream)
  const agentDoor = { directory, name: basename(DOOR.socket), owner: AGENT_UID, serve: agents.serve, tunnel: null, log }
  const handsDoor = { directory, name: basename(DOOR.handsSocket), owner: HANDS_UID, ...hands, log }
  const first = await openDoorServer(agentDoor)
  const second = await openDoorServer(handsDoor)
  log.info({ event: 'gateway.opened' })
  return {
    token: agents.token,
    close: async () => {
      await Promise.all([first.close(), second.close()])
      upstream.close()
      log.info({ event: 'gateway.closed' })
    },
  }
}

const NOTHING_HERE = 'The sandbox door serves nothing at this path.'

function serveAgent(options: GatewayOptions, upstream: Upstream): { token: string; serve: Endpoint } {
  const { token, fits } = createDoorToken(options.resumed?.token)
  const endpointAt = layOutAgentsEndpoints(options, upstream)
  return {
    token,
    serve: async (call) => {
      const endpoint = endpointAt(call.path)
      if (!endpoint) return answer(call.response, 404, NOTHING_HERE)
      if (!fits(call.request.headers)) return answer(call.response, 401, 'The token of this attempt is missing or wrong.')
      await endpoint(call)
    },
  }
}

/** Needs no token: whatever it serves, the repository's own code may have. */
function serveHands(options: GatewayOptions, upstream: Upstream): Pick<DoorServerOptions, 'serve' | 'tunnel'> {
  const { coordinatorUrl, confirmLease, emit, log, lease } = options
  const { repo } = lease.access
  const repository = { ...repo, upstream: resolveUpstream(repo.upstream, coordinatorUrl) }
  const git = serveGit({ repository, taskId: lease.assignment.taskId, confirmLease, upstream, emit, log })
  const npm = serveRegistry({ registryUrl: options.npmRegistryUrl, upstream, log })
  const { allowedHosts } = options.machine
  const { tunnel, refuse, admit } = serveAllowlist({ ...options, allowedHosts })
  const webFetch = serveWebFetch({ admit, allowedHosts, log })
  return {
    tunnel,
    serve: async (call) => {
      const { path } = call
      if (isForProxy(path)) return refuse(call)
      if (isTarball(path) || path.startsWith(DOOR_PATHS.npm)) return npm(call)
      if (path.startsWith('/git/')) return git(call)
      if (path === DOOR_PATHS.webFetch) return webFetch(call)
      answer(call.response, 404, NOTHING_HERE)
    },
  }
}

/** Returns the endpoint of each path. */
function layOutAgentsEndpoints(options: GatewayOptions, upstream: Upstream) {
  const { coordinatorUrl, emit, log } = options
  const { assignment, access } = options.lease
  const budget = createBudget(options.limitUsd ?? assignment.budgetUsd, options.resumed?.spentUsd)
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
  const artifacts = serveArtifacts(options)
  const tail = serveTail(options)
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
  const hands: Endpoint = async ({ request, response }) => {
    if (request.method !== 'POST') return answer(response, 405, 'Use POST here.')
    await options.startHands()
    response.writeHead(204).end()
  }
  return (path: string): Endpoint | null => {
    if (path === DOOR_PATHS.assignment) return task
    if (path === DOOR_PATHS.money) return money
    if (path === DOOR_PATHS.messages || path === DOOR_PATHS.transcript) return conversation
    if (path.startsWith(`${DOOR_PATHS.model}/`)) return model
    if (path.startsWith(DOOR_PATHS.artifacts)) return artifacts
    if (path.startsWith(DOOR_PATHS.tail)) return tail
    if (path === DOOR_PATHS.lease) return fence
    if (path === DOOR_PATHS.hands) return hands
    return null
  }
}

/** `GET http://host/… HTTP/1.1`: what a client sends to a proxy. */
function isForProxy(path: string): boolean {
  return !path.startsWith('/')
}

/**
 * Makes the attempt's token. Only its hash stays here. The text goes into the sandbox, to the agent's user alone: it opens this one socket
 * and nothing else.
 */
function createDoorToken(given?: string): { token: string; fits: (headers: IncomingHttpHeaders) => boolean } {
  const token = given ?? randomBytes(32).toString('base64url')
  const hash = sha256(token)
  return { token, fits: (headers) => shownTokens(headers).some((shown) => timingSafeEqual(sha256(shown), hash)) }
}

/** The tokens in the headers of a call: SDKs send them as Bearer or `x-api-key`. */
function shownTokens(headers: IncomingHttpHeaders): string[] {
  const shown: string[] = []
  const key = headers['x-api-key']
  if (typeof key === 'string') shown.push(key)
  const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ', 2)
  if (/^bearer$/i.test(scheme)) shown.push(credentials)
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
