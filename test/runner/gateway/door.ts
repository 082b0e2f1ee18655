import { createHash } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { Lease } from '../../../contract/wire/lease.ts'
import { type ArtifactKind, type Behind, TAIL_KINDS } from '../../../contract/wire/sandbox.ts'
import { type GatewayOptions, openGateway } from '../../../runner/gateway/gateway.ts'
import { listen, temporaryFolder } from '../../support/systems/temporary.ts'

export const MODEL = 'claude-opus-5-5'
export const KEY = 'sk-ant-CANARY-key'
export const TASK = 'T1'

export const MACHINE = { cpus: 2, memoryMb: 4096, workspaceMb: 2048, allowedHosts: [] }

/** What a test changes in its lease. */
export type LeaseChange = Partial<Lease['assignment'] & Lease['access']>

export type Door = {
  /** The agent's way as TCP on 127.0.0.1, as its forwarder inside a sandbox shows it. */
  url: string
  port: number
  /** The way of the hands. */
  hands: { url: string; port: number }
  token: string
  /** Headers with the token. */
  headers: Record<string, string>
  directory: string
  said: NewEvent[]
  log: string[]
  artifacts: Map<ArtifactKind, Buffer>
  /** What left the host while the turn ran, and how many bytes each request brought. */
  tail: { kept: Map<ArtifactKind, Buffer>; brought: { kind: ArtifactKind; bytes: number; from: number }[] }
  close: () => Promise<void>
}

/** Opens a gateway with a lease of the test's own, and a forwarder to its socket. */
export async function openDoor(change: LeaseChange = {}, options: Partial<Omit<GatewayOptions, 'lease'>> = {}): Promise<Door> {
  const folder = await temporaryFolder()
  const directory = join(folder.path, 'door')
  const said: NewEvent[] = []
  const log: string[] = []
  const artifacts = new Map<ArtifactKind, Buffer>()
  const tail: Door['tail'] = { kept: new Map(), brought: [] }
  const gateway = await openGateway({
    lease: leaseWith(change),
    directory,
    coordinatorUrl: 'http://127.0.0.1:1',
    npmRegistryUrl: 'http://127.0.0.1:1/',
    machine: MACHINE,
    confirmLease: async () => true,
    awaitLease: async () => true,
    emit: (event) => said.push(event),
    messages: { handOut: () => [], undelivered: () => [] },
    modelTook: () => undefined,
    openTranscript: async () => null,
    openCheckpoint: async () => null,
    startHands: async () => undefined,
    keepWork: () => null,
    hasPushed: () => false,
    saveArtifact: async (kind, body, { behind } = {}) => {
      if (TAIL_KINDS.includes(kind)) await keepTail(tail, kind, await buffer(body), behind)
      else artifacts.set(kind, await buffer(body))
    },
    log: pino({ level: 'trace' }, { write: (line: string) => log.push(line) }),
    ...options,
  }).catch(async (error: unknown) => {
    await folder.remove()
    throw error
  })
  const forwarder = await forwardTo(join(directory, 'door.sock'))
  const hands = await forwardTo(join(directory, 'hands.sock'))
  return {
    url: forwarder.url,
    port: forwarder.port,
    hands,
    token: gateway.token,
    headers: { authorization: `Bearer ${gateway.token}` },
    directory,
    said,
    log,
    artifacts,
    tail,
    close: async () => {
      await gateway.close()
      await Promise.all([forwarder.close(), hands.close()])
      await folder.remove()
    },
  }
}

/** As the coordinator keeps it. */
async function keepTail({ kept, brought }: Door['tail'], kind: ArtifactKind, bytes: Buffer, behind?: Behind): Promise<void> {
  const begun = kept.get(kind)?.subarray(0, behind?.from ?? 0) ?? Buffer.alloc(0)
  if (behind && createHash('sha256').update(begun).digest('hex') !== behind.hash) throw new Error('something else is stored')
  brought.push({ kind, bytes: bytes.length, from: begun.length })
  kept.set(kind, Buffer.concat([begun, bytes]))
}

/** Sends a request with the path exactly as given; `fetch` would tidy it up. @returns the whole answer */
export function rawRequest(door: Pick<Door, 'port' | 'token'>, method: string, path: string): Promise<string> {
  const socket = connect(door.port, '127.0.0.1')
  const headers = `host: door\r\nconnection: close\r\nx-api-key: ${door.token}\r\ncontent-length: 0`
  socket.end(`${method} ${path} HTTP/1.1\r\n${headers}\r\n\r\n`)
  return text(socket)
}

/** TCP on a free port of 127.0.0.1 → a unix socket. */
async function forwardTo(path: string): ReturnType<typeof listen> {
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ path, allowHalfOpen: true })
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
      socket.pipe(other)
    }
  })
  return listen(server)
}

function leaseWith({ repo, modelApi, ...assignment }: LeaseChange): Lease {
  return {
    parkedBefore: 0,
    assignment: {
      taskId: TASK,
      attempt: 1,
      turn: 1,
      prompt: 'mend it',
      messageId: 'm1',
      hasTranscript: false,
      repoUrl: 'https://example.org/o/n',
      baseBranch: null,
      branch: `errand/${TASK}/work`,
      model: MODEL,
      effort: null,
      budgetUsd: 5,
      modelWaitMs: 180_000,
      timeLimitMs: 60_000,
      ...assignment,
    },
    access: {
      repo: repo ?? { upstream: 'http://127.0.0.1:1/o/n.git', username: null, token: null },
      modelApi: modelApi ?? { baseUrl: 'http://127.0.0.1:1', key: KEY },
    },
    signingKey: '00',
    leaseMs: 30_000,
    messages: [],
    pushed: null,
  }
}
