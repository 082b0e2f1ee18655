import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import type { Logger } from 'pino'
import type { z } from 'zod'
import { COORDINATOR_ANSWER_MS } from '../../contract/wire/deadlines.ts'
import { LeaseAnswer, type LeaseRequest, RenewAnswer, type RenewRequest } from '../../contract/wire/lease.ts'
import { RUNNER_PATHS } from '../../contract/wire/names.ts'
import type { ArtifactKind } from '../../contract/wire/sandbox.ts'

/** The coordinator's HTTP side as a runner uses it. Every call throws {@link CoordinatorFault} when there is no answer to go by. */
export type CoordinatorClient = {
  lease: (request: LeaseRequest) => Promise<LeaseAnswer>
  renew: (request: RenewRequest) => Promise<RenewAnswer>
  /** @returns null when the task has none */
  openTranscript: (taskId: string, attempt: number) => Promise<Readable | null>
  /** Streams `body` up; it is stored when this returns. */
  saveArtifact: (taskId: string, attempt: number, kind: ArtifactKind, body: Readable) => Promise<void>
}

/** `unreachable`: no answer, or one that says "later"; `refused`: it answered, and does not want this. */
export class CoordinatorFault extends Error {
  readonly kind: 'unreachable' | 'refused'
  /** What it answered with; null when nothing came. */
  readonly status: number | null
  constructor(
    kind: CoordinatorFault['kind'],
    message: string,
    { cause, status = null }: { cause?: unknown; status?: number | null } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.name = 'CoordinatorFault'
    this.kind = kind
  }
}

/** @returns whether nobody was there: no answer came, or that of a proxy before it. What the coordinator itself says is something else. */
export function isAway(error: unknown): boolean {
  return error instanceof CoordinatorFault && error.kind === 'unreachable' && [null, 502, 504].includes(error.status)
}

const UPLOAD_MS = 10 * 60_000
const ADVICE_401 =
  'runner token refused: set RUNNER_TOKEN to the one that the coordinator has (its RUNNER_TOKEN, or runner-token in its data folder)'

export function coordinatorClient(options: { url: string; token: string; log: Logger }): CoordinatorClient {
  const call = async (path: string, init: RequestInit & { duplex?: 'half' }, timeoutMs: number): Promise<Response> => {
    const headers = { ...init.headers, authorization: `Bearer ${options.token}` }
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(options.url + path, { ...init, headers, signal, redirect: 'error' }).catch((cause) => {
      throw new CoordinatorFault('unreachable', `the coordinator at ${options.url} does not answer`, { cause })
    })
    if (response.ok) return response
    const told = (await response.text().catch(() => '')).slice(0, 500)
    if (response.status === 401) options.log.error({ event: 'runner.token_refused' }, ADVICE_401)
    if (response.status === 401) throw new CoordinatorFault('refused', ADVICE_401)
    const later = response.status >= 500 || response.status === 429
    throw new CoordinatorFault(
      later ? 'unreachable' : 'refused',
      `the coordinator answered ${response.status} to ${path}: ${told}`,
      { status: response.status },
    )
  }

  const ask = async <T>(path: string, request: object, schema: z.ZodType<T>): Promise<T> => {
    const headers = { 'content-type': 'application/json' }
    const response = await call(path, { method: 'POST', headers, body: JSON.stringify(request) }, COORDINATOR_ANSWER_MS)
    const answer = schema.safeParse(await response.json().catch(() => undefined))
    if (answer.success) return answer.data
    throw new CoordinatorFault(
      'refused',
      `the coordinator's answer to ${path} cannot be understood; are both of the same version?`,
    )
  }

  return {
    lease: (request) => ask(RUNNER_PATHS.lease, request, LeaseAnswer),
    renew: (request) => ask(RUNNER_PATHS.renew, request, RenewAnswer),
    openTranscript: async (taskId, attempt) => {
      try {
        const { body } = await call(RUNNER_PATHS.transcript(taskId, attempt), {}, UPLOAD_MS)
        // Node's fetch gives the very stream that `fromWeb` takes; the types of the two do not know each other.
        return body && Readable.fromWeb(body as WebStream)
      } catch (error) {
        if (error instanceof CoordinatorFault && error.status === 404) return null
        throw error
      }
    },
    saveArtifact: async (taskId, attempt, kind, body) => {
      const headers = { 'content-type': 'application/octet-stream' }
      const path = RUNNER_PATHS.artifact(taskId, attempt, kind)
      const response = await call(path, { method: 'PUT', headers, body: Readable.toWeb(body), duplex: 'half' }, UPLOAD_MS)
      await response.body?.cancel()
    },
  }
}
