import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { NewEvent } from '../../../contract/api/event.ts'
import { type Lease, type LeaseAnswer, LeaseRequest, type RenewAnswer, RenewRequest } from '../../../contract/wire/lease.ts'
import { EVENT_STREAM, RUNNER_PATHS, runnerChannel } from '../../../contract/wire/names.ts'
import { type RunnerWord, type SignedMessage, StreamEntry, signedMessageText } from '../../../contract/wire/river.ts'
import type { SteerMessage } from '../../../contract/wire/sandbox.ts'
import { hmacHex, signEntry } from '../../../runner/river/signatures.ts'

export const RUNNER_TOKEN = 'runner-token-of-the-tests'

type AttemptState = { runnerId: string; signingKey: string; events: NewEvent[]; lastN: number; repeats: number }

export type ScriptedCoordinator = {
  url: string
  /** What each attempt said, in order: `taskId/attempt`. */
  attempts: Map<string, AttemptState>
  /** How lease requests are answered; may be changed at any time. */
  onLease: (answer: (request: LeaseRequest) => LeaseAnswer | number) => void
  /** What renewals say of every attempt that is asked for. */
  renewState: RenewAnswer['attempts'][number]['state']
  /** And what waits for each. */
  renewMessages: SteerMessage[]
  renewals: RenewRequest[]
  artifacts: Map<string, Buffer>
  /** While false events stay on the stream and nothing is acknowledged. */
  reading: boolean
  /** While true, everything is refused: only what it cost is taken. */
  refusing: boolean
  /** Makes an attempt known without a lease, for tests of the river alone. */
  expect: (taskId: string, attempt: number, runnerId: string) => string
  say: (taskId: string, attempt: number, word: RunnerWord) => Promise<void>
  stop: () => Promise<void>
}

/** The coordinator's side as a runner sees it: leases by HTTP, an intake that stores once and in order, words through Redis. */
export async function startScriptedCoordinator(redisUrl: string): Promise<ScriptedCoordinator> {
  const redis = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => 50 })
  redis.on('error', () => undefined)
  const attempts: ScriptedCoordinator['attempts'] = new Map()
  let answerLease: (request: LeaseRequest) => LeaseAnswer | number = () => 503
  let stopped = false

  const know = (taskId: string, attempt: number, runnerId: string, signingKey: string) =>
    attempts.set(`${taskId}/${attempt}`, { runnerId, signingKey, events: [], lastN: 0, repeats: 0 })

  const say = async (taskId: string, attempt: number, word: RunnerWord) => {
    const state = attempts.get(`${taskId}/${attempt}`)
    if (!state) throw new Error(`no attempt ${taskId}/${attempt}`)
    const message = { taskId, attempt, body: JSON.stringify(word) }
    const signed: SignedMessage = { ...message, signature: hmacHex(state.signingKey, signedMessageText('word', message)) }
    await redis.publish(runnerChannel(state.runnerId), JSON.stringify(signed))
  }

  const take = (fields: string[]): { taskId: string; attempt: number; word: RunnerWord } | null => {
    const named = Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]))
    const entry = StreamEntry.parse(named)
    const state = attempts.get(`${entry.taskId}/${entry.attempt}`)
    if (!state) return null
    const { signature, ...rest } = entry
    if (signEntry(state.signingKey, rest).signature !== signature) throw new Error('an entry with a wrong signature')
    const about = { taskId: entry.taskId, attempt: entry.attempt }
    if (entry.n <= state.lastN) state.repeats += 1
    if (entry.n === state.lastN + 1) {
      state.lastN = entry.n
      const event = NewEvent.parse(JSON.parse(entry.body))
      if (!coordinator.refusing || event.type === 'usage.counted') state.events.push(event)
    }
    return { ...about, word: { type: coordinator.refusing ? 'refused' : 'acknowledged', n: state.lastN } }
  }

  const intake = async () => {
    while (!stopped) {
      await new Promise((done) => setTimeout(done, 10))
      if (!coordinator.reading || redis.status !== 'ready') continue
      try {
        const page = await redis.xrange(EVENT_STREAM, '-', '+', 'COUNT', 500)
        const words = new Map<string, { taskId: string; attempt: number; word: RunnerWord }>()
        for (const [, fields] of page) {
          const taken = take(fields)
          if (taken) words.set(`${taken.taskId}/${taken.attempt}`, taken)
        }
        if (page.length > 0) await redis.xdel(EVENT_STREAM, ...page.map(([id]) => id))
        for (const { taskId, attempt, word } of words.values()) await say(taskId, attempt, word)
      } catch (error) {
        if (!isConnectionTrouble(error)) throw error
      }
    }
  }

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization !== `Bearer ${RUNNER_TOKEN}`) return void response.writeHead(401).end('{}')
    const body = await bytesOf(request)
    if (request.url === RUNNER_PATHS.lease) {
      const asked = LeaseRequest.parse(JSON.parse(body.toString()))
      const answer = answerLease(asked)
      if (typeof answer === 'number') return void response.writeHead(answer).end('{}')
      if (answer.granted) know(answer.lease.taskId, answer.lease.attempt, asked.runner.id, answer.lease.signingKey)
      return void response.end(JSON.stringify(answer))
    }
    if (request.url === RUNNER_PATHS.renew) {
      const asked = RenewRequest.parse(JSON.parse(body.toString()))
      coordinator.renewals.push(asked)
      const { renewState: state, renewMessages: messages } = coordinator
      const told = asked.attempts.map((one) => ({ ...one, state, leaseMs: /held|cancel/.test(state) ? 30_000 : 0, messages }))
      return void response.end(JSON.stringify({ attempts: told }))
    }
    if (request.method === 'GET') {
      const kept = coordinator.artifacts.get(request.url ?? '')
      return void (kept ? response.end(kept) : response.writeHead(404).end('{}'))
    }
    coordinator.artifacts.set(request.url ?? '', body)
    response.writeHead(204).end()
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error) => response.writeHead(400).end(String(error)))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const coordinator: ScriptedCoordinator = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts,
    onLease: (answer) => {
      answerLease = answer
    },
    renewState: 'held',
    renewMessages: [],
    renewals: [],
    artifacts: new Map(),
    reading: true,
    refusing: false,
    expect: (taskId, attempt, runnerId) => {
      const signingKey = randomBytes(32).toString('hex')
      know(taskId, attempt, runnerId, signingKey)
      return signingKey
    },
    say,
    stop: async () => {
      stopped = true
      await reading
      redis.disconnect()
      await close(server)
    },
  }
  const reading = intake()
  return coordinator
}

/** A lease to begin with; a test changes what it is about. */
export function leaseOf(taskId: string, attempt: number, change: Partial<Lease> = {}): Lease {
  return {
    taskId,
    turn: 1,
    attempt,
    leaseMs: 30_000,
    signingKey: randomBytes(32).toString('hex'),
    prompt: 'mend the failing test',
    messageId: 'm1',
    hasTranscript: false,
    messages: [],
    repo: {
      url: 'https://git.example/a/b',
      upstream: 'http://127.0.0.1:9/a/b.git',
      username: null,
      token: 'ghp_CANARY0123456789',
    },
    baseBranch: null,
    branch: `errand/${taskId}/work`,
    model: 'claude-sonnet-5-5',
    modelApi: { baseUrl: 'http://127.0.0.1:9', key: 'sk-ant-CANARY0123456789' },
    budgetUsd: 1,
    timeLimitMs: 600_000,
    ...change,
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}

function isConnectionTrouble(error: unknown): boolean {
  return (
    error instanceof Error &&
    /Connection is closed|ECONN|enableOfflineQueue|max retries|Stream isn't writeable/i.test(`${error.name} ${error.message}`)
  )
}
