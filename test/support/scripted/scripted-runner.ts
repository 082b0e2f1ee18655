import { createHmac } from 'node:crypto'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import type { NewEvent } from '../../../contract/api/event.ts'
import type { JobData } from '../../../contract/wire/job.ts'
import {
  CONTRACT_VERSION,
  type HeldAttempt,
  type Lease,
  type LeaseAnswer,
  type RenewAnswer,
  signedHolderText,
} from '../../../contract/wire/lease.ts'
import {
  BELL_CHANNEL,
  DELTA_CHANNEL,
  EVENT_STREAM,
  PROOF_HEADER,
  QUEUE_NAME,
  RUNNER_PATHS,
  runnerChannel,
} from '../../../contract/wire/names.ts'
import { RunnerWord, SignedMessage, signedEntryText, signedMessageText } from '../../../contract/wire/river.ts'
import { waitFor } from '../checks/wait.ts'

/** A lease, with what its assignment says beside it. */
export type TakenLease = Lease & Lease['assignment']
export function taken(lease: Lease): TakenLease {
  return { ...lease, ...lease.assignment }
}

export type Heard = { taskId: string; attempt: number; word: RunnerWord }

/** A runner without containers: it asks, signs and sends as a real one, and does just what the test says. */
export type ScriptedRunner = {
  id: string
  heard: Heard[]
  /** The turns that wait in BullMQ, as they are there; they stay. */
  jobs: () => Promise<JobData[]>
  /** Waits for the job of this task, and of this turn if one is named. */
  job: (taskId: string, turn?: number) => Promise<JobData>
  /** The highest number that was acknowledged. */
  acknowledged: (lease: TakenLease) => number
  /** Puts an event into the stream and rings the bell. `at`: when it happened by the runner's clock, milliseconds since 1970. */
  send: (
    lease: TakenLease,
    n: number,
    event: NewEvent | Record<string, unknown>,
    forged?: { key?: string; at?: number },
  ) => Promise<void>
  /** Sends these events, the first as number `from`, and waits until the last is acknowledged. */
  deliver: (lease: TakenLease, from: number, ...events: NewEvent[]) => Promise<void>
  /** @param callId of the call whose output it is; none: text of the model */
  sendDelta: (lease: TakenLease, offset: number, text: string, callId?: string) => Promise<void>
  close: () => Promise<void>
}

const DELIVERED_MS = 30_000

export async function createScriptedRunner(redisUrl: string, id = 'runner-a'): Promise<ScriptedRunner> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const listener = new Redis(redisUrl, { maxRetriesPerRequest: null, autoResubscribe: false })
  const queue = new Queue(QUEUE_NAME, { connection: redis })
  for (const link of [redis, listener, queue]) link.on('error', () => undefined)
  const heard: Heard[] = []
  listener.on('message', (_channel, text) => {
    const { taskId, attempt, body } = SignedMessage.parse(JSON.parse(text))
    heard.push({ taskId, attempt, word: RunnerWord.parse(JSON.parse(body)) })
  })
  listener.on('ready', () => void listener.subscribe(runnerChannel(id)).catch(() => undefined))
  await listener.subscribe(runnerChannel(id))
  const acknowledged: ScriptedRunner['acknowledged'] = ({ taskId, attempt }) =>
    heard.reduce(
      (n, said) =>
        said.taskId === taskId && said.attempt === attempt && said.word.type === 'acknowledged' ? Math.max(n, said.word.n) : n,
      0,
    )
  const send: ScriptedRunner['send'] = async (lease, n, event, { key = lease.signingKey, at = Date.now() } = {}) => {
    const { taskId, attempt } = lease
    const entry = { taskId, attempt, n, at: new Date(at).toISOString(), body: JSON.stringify(event) }
    const signature = sign(key, signedEntryText(entry))
    const fields = Object.entries({ ...entry, signature }).flatMap(([name, value]) => [name, String(value)])
    await redis
      .multi()
      .xadd(EVENT_STREAM, '*', ...fields)
      .publish(BELL_CHANNEL, '')
      .exec()
  }
  const jobs = async () => (await queue.getJobs(['waiting', 'delayed'])).map((job) => job.data as JobData)

  return {
    id,
    heard,
    jobs,
    job: (taskId, turn) =>
      waitFor(`a job of ${taskId}`, async () =>
        (await jobs()).find((job) => job.taskId === taskId && (turn === undefined || job.turn === turn)),
      ),
    acknowledged,
    send,
    deliver: async (lease, from, ...events) => {
      for (const [index, event] of events.entries()) await send(lease, from + index, event)
      const last = from + events.length - 1
      await waitFor(`event ${last} to be stored`, () => acknowledged(lease) >= last, DELIVERED_MS)
    },
    sendDelta: async ({ taskId, attempt, signingKey }, offset, text, callId) => {
      const message = { taskId, attempt, body: JSON.stringify({ callId, offset, text }) }
      const signature = sign(signingKey, signedMessageText('delta', message))
      await redis.publish(DELTA_CHANNEL, JSON.stringify({ ...message, signature }))
    },
    close: async () => {
      await queue.close()
      redis.disconnect()
      listener.disconnect()
    },
  }
}

function sign(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex')
}

/** What a runner asks the coordinator over HTTP. */
export function runnerCalls(url: string, runnerToken: string, id = 'runner-a', slots = 2) {
  const runner = { id, name: id, slots, contract: CONTRACT_VERSION }
  const proofs = new Map<string, string>()
  const keyOf = ({ taskId, attempt }: HeldAttempt) => `${taskId}/${attempt}`
  const proven = (held: HeldAttempt): HeldAttempt => ({ proof: proofs.get(keyOf(held)), ...held })
  const post = async (path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${runnerToken}`, 'content-type': 'application/json' }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  return {
    /** Bytes to keep, as the gateway hands them on. */
    keep: async (
      { taskId, attempt }: Pick<TakenLease, 'taskId' | 'attempt'>,
      kind: string,
      content: string | Uint8Array<ArrayBuffer>,
    ) => {
      const proof = proofs.get(keyOf({ taskId, attempt }))
      const headers = { authorization: `Bearer ${runnerToken}`, ...(proof !== undefined && { [PROOF_HEADER]: proof }) }
      const path = RUNNER_PATHS.artifact(taskId, attempt, kind)
      const response = await fetch(url + path, { method: 'PUT', headers, body: content })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    },
    /** @throws Error when it is refused */
    lease: async (job: JobData): Promise<TakenLease> => {
      const answer = (await post(RUNNER_PATHS.lease, { job, runner })) as LeaseAnswer
      if (!answer.granted) throw new Error(`the lease was refused: ${answer.refusal}`)
      const { assignment, signingKey } = answer.lease
      proofs.set(keyOf(assignment), sign(signingKey, signedHolderText(assignment.taskId, assignment.attempt)))
      return taken(answer.lease)
    },
    renew: (attempts: HeldAttempt[]) =>
      post(RUNNER_PATHS.renew, { runner, attempts: attempts.map(proven) }) as Promise<RenewAnswer>,
  }
}
