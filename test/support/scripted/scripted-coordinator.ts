import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Redis } from 'ioredis'
import { NewEvent } from '../../../contract/api/event.ts'
import {
  type HeldAttempt,
  type Lease,
  type LeaseAnswer,
  LeaseRequest,
  type RenewAnswer,
  RenewRequest,
  type ResumeAnswer,
  ResumeRequest,
} from '../../../contract/wire/lease.ts'
import { EVENT_STREAM, RUNNER_PATHS, runnerChannel } from '../../../contract/wire/names.ts'
import { type RunnerWord, type SignedMessage, StreamEntry, signedMessageText } from '../../../contract/wire/river.ts'
import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { hmacHex, proveHolder, signEntry } from '../../../runner/river/signatures.ts'
import { startRedis, type TestRedis } from '../systems/redis.ts'
import { listen } from '../systems/temporary.ts'

export const RUNNER_TOKEN = 'runner-token-of-the-tests'

type AttemptState = { runnerId: string; signingKey: string; events: NewEvent[]; lastN: number; repeats: number }

export type ScriptedCoordinator = {
  url: string
  /** The events of each attempt, in order: `taskId/attempt`. */
  attempts: Map<string, AttemptState>
  /** How lease requests are answered; a test may change it at any time. */
  onLease: (answer: (request: LeaseRequest) => LeaseAnswer | number) => void
  /** How a restarted runner is answered that asks for a lease again; at first it is refused. */
  onResume: (answer: (request: ResumeRequest) => ResumeAnswer | number) => void
  /** The state that renewals give for every attempt. */
  renewState: RenewAnswer['attempts'][number]['state']
  /** The messages that wait for each attempt. */
  renewMessages: SteerMessage[]
  renewals: RenewRequest[]
  artifacts: Map<string, Buffer>
  /** While false, events stay on the stream and nothing is acknowledged. */
  reading: boolean
  /** While true, every event is refused, and only its cost is taken. */
  refusing: boolean
  /** Makes an attempt known without a lease, for tests of the river alone. @returns its key */
  expect: (taskId: string, attempt: number, runnerId: string) => string
  send: (taskId: string, attempt: number, word: RunnerWord) => Promise<void>
  redis: TestRedis
  /** Answers and reads no more, for good; its Redis stays. */
  goAway: () => Promise<void>
  stop: () => Promise<void>
}

/** What a test may change, and what it looks at. */
type State = Pick<
  ScriptedCoordinator,
  'attempts' | 'renewState' | 'renewMessages' | 'renewals' | 'artifacts' | 'reading' | 'refusing'
> & {
  answerLease: (request: LeaseRequest) => LeaseAnswer | number
  answerResume: (request: ResumeRequest) => ResumeAnswer | number
  stopped: boolean
}

/**
 * The coordinator as a runner sees it, on a Redis of its own: leases by HTTP, an intake that stores once and in order, words through Redis.
 * @param options as of that Redis
 */
export async function startScriptedCoordinator(options: { persistent?: boolean } = {}): Promise<ScriptedCoordinator> {
  const server = await startRedis(options)
  const redis = new Redis(server.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  redis.on('error', () => undefined)
  const state: State = {
    attempts: new Map(),
    renewState: 'leased',
    renewMessages: [],
    renewals: [],
    artifacts: new Map(),
    reading: true,
    refusing: false,
    answerLease: () => 503,
    answerResume: () => ({ granted: false }),
    stopped: false,
  }
  const web = createServer((request, response) => {
    respond(state, request, response).catch((error) => response.writeHead(400).end(String(error)))
  })
  const { url, close } = await listen(web)
  const intake = takeAll(state, redis)
  const goAway = async () => {
    state.stopped = true
    await intake
    redis.disconnect()
    await close()
  }
  return Object.assign(state, {
    url,
    onLease: (answer: State['answerLease']) => {
      state.answerLease = answer
    },
    onResume: (answer: State['answerResume']) => {
      state.answerResume = answer
    },
    expect: (taskId: string, attempt: number, runnerId: string) => {
      const signingKey = randomBytes(32).toString('hex')
      know(state, taskId, attempt, { runnerId, signingKey })
      return signingKey
    },
    send: (taskId: string, attempt: number, word: RunnerWord) => send(state, redis, taskId, attempt, word),
    redis: server,
    goAway,
    stop: async () => {
      await goAway()
      await server.stop()
    },
  })
}

function know({ attempts }: State, taskId: string, attempt: number, holder: { runnerId: string; signingKey: string }): void {
  attempts.set(`${taskId}/${attempt}`, { ...holder, events: [], lastN: 0, repeats: 0 })
}

async function send({ attempts }: State, redis: Redis, taskId: string, attempt: number, word: RunnerWord): Promise<void> {
  const known = attempts.get(`${taskId}/${attempt}`)
  if (!known) throw new Error(`no attempt ${taskId}/${attempt}`)
  const message = { taskId, attempt, body: JSON.stringify(word) }
  const signed: SignedMessage = { ...message, signature: hmacHex(known.signingKey, signedMessageText('word', message)) }
  await redis.publish(runnerChannel(known.runnerId), JSON.stringify(signed))
}

/** The intake, until the end. */
async function takeAll(state: State, redis: Redis): Promise<void> {
  while (!state.stopped) {
    await new Promise((done) => setTimeout(done, 10))
    if (!state.reading || redis.status !== 'ready') continue
    try {
      const page = await redis.xrange(EVENT_STREAM, '-', '+', 'COUNT', 500)
      const words = new Map<string, Told>()
      for (const [, fields] of page) {
        const told = take(state, fields)
        if (told) words.set(`${told.taskId}/${told.attempt}`, told)
      }
      if (page.length > 0) await redis.xdel(EVENT_STREAM, ...page.map(([id]) => id))
      for (const { taskId, attempt, word } of words.values()) await send(state, redis, taskId, attempt, word)
    } catch (error) {
      if (!isConnectionTrouble(error)) throw error
    }
  }
}

type Told = { taskId: string; attempt: number; word: RunnerWord }

/** Stores one entry, if it is the next. @returns the word to its runner; null for an unknown attempt */
function take({ attempts, refusing }: State, fields: string[]): Told | null {
  const named = Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]))
  const { signature, ...entry } = StreamEntry.parse(named)
  const { taskId, attempt } = entry
  const known = attempts.get(`${taskId}/${attempt}`)
  if (!known) return null
  if (signEntry(known.signingKey, entry).signature !== signature) throw new Error('an entry with a wrong signature')
  if (entry.n <= known.lastN) known.repeats += 1
  if (entry.n === known.lastN + 1) {
    known.lastN = entry.n
    const event = NewEvent.parse(JSON.parse(entry.body))
    if (!refusing || event.type === 'usage.counted') known.events.push(event)
  }
  return { taskId, attempt, word: { type: refusing ? 'refused' : 'acknowledged', n: known.lastN } }
}

async function respond(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${RUNNER_TOKEN}`) return void response.writeHead(401).end('{}')
  const body = await bytesOf(request)
  const path = request.url ?? ''
  if (path === RUNNER_PATHS.lease) {
    const answer = grant(state, LeaseRequest.parse(JSON.parse(body.toString())))
    return void (typeof answer === 'number' ? response.writeHead(answer).end('{}') : response.end(JSON.stringify(answer)))
  }
  if (path === RUNNER_PATHS.resume) {
    const asked = ResumeRequest.parse(JSON.parse(body.toString()))
    requireProof(state, asked.held)
    const answer = state.answerResume(asked)
    return void (typeof answer === 'number' ? response.writeHead(answer).end('{}') : response.end(JSON.stringify(answer)))
  }
  if (path === RUNNER_PATHS.renew)
    return void response.end(JSON.stringify(renew(state, RenewRequest.parse(JSON.parse(body.toString())))))
  if (request.method === 'GET') {
    const kept = state.artifacts.get(path)
    return void (kept ? response.end(kept) : response.writeHead(404).end('{}'))
  }
  state.artifacts.set(path, body)
  response.writeHead(204).end()
}

function grant(state: State, request: LeaseRequest): LeaseAnswer | number {
  const answer = state.answerLease(request)
  if (typeof answer === 'number' || !answer.granted) return answer
  const { assignment, signingKey } = answer.lease
  know(state, assignment.taskId, assignment.attempt, { runnerId: request.runner.id, signingKey })
  return answer
}

/** @throws Error, which is a 400, for a runner that does not prove that it holds the attempt */
function requireProof({ attempts }: State, { taskId, attempt, proof }: HeldAttempt): void {
  const known = attempts.get(`${taskId}/${attempt}`)
  if (known && proof !== proveHolder(known.signingKey, taskId, attempt)) throw new Error(`no proof for ${taskId}/${attempt}`)
}

function renew(all: State, request: RenewRequest): RenewAnswer {
  const { renewals, renewState: state, renewMessages: messages } = all
  for (const one of request.attempts) requireProof(all, one)
  renewals.push(request)
  const leaseMs = /leased|cancel/.test(state) ? 30_000 : 0
  return { attempts: request.attempts.map((one) => ({ ...one, state, leaseMs, messages })) }
}

/** A lease to begin with; a test changes what it is about. */
export function leaseOf(
  taskId: string,
  attempt: number,
  change: Partial<Pick<Lease, 'signingKey' | 'messages' | 'pushed'>> = {},
): Lease {
  return {
    assignment: {
      taskId,
      attempt,
      turn: 1,
      prompt: 'mend the failing test',
      messageId: 'm1',
      hasTranscript: false,
      repoUrl: 'https://git.example/a/b',
      baseBranch: null,
      branch: `errand/${taskId}/work`,
      model: 'claude-sonnet-5-5',
      effort: null,
      budgetUsd: 1,
      timeLimitMs: 600_000,
      modelWaitMs: 180_000,
    },
    parkedBefore: 0,
    access: {
      repo: { upstream: 'http://127.0.0.1:9/a/b.git', username: null, token: 'ghp_CANARY0123456789' },
      modelApi: { baseUrl: 'http://127.0.0.1:9', key: 'sk-ant-CANARY0123456789' },
    },
    signingKey: randomBytes(32).toString('hex'),
    leaseMs: 30_000,
    messages: [],
    pushed: null,
    ...change,
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function isConnectionTrouble(error: unknown): boolean {
  return (
    error instanceof Error &&
    /Connection is closed|ECONN|enableOfflineQueue|max retries|Stream isn't writeable/i.test(`${error.name} ${error.message}`)
  )
}
