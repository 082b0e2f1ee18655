import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import * as z from 'zod'
import { parseJson } from '../../contract/shared/json.ts'
import { COORDINATOR_ANSWER_MS } from '../../contract/wire/deadlines.ts'
import {
  type HeldAttempt,
  LeaseAnswer,
  type LeaseRequest,
  RenewAnswer,
  type RenewRequest,
  ResumeAnswer,
  type RunnerIdentity,
} from '../../contract/wire/lease.ts'
import { PROOF_HEADER, RUNNER_PATHS } from '../../contract/wire/names.ts'
import type { ArtifactKind, Behind } from '../../contract/wire/sandbox.ts'

/** The coordinator's HTTP side as a runner uses it. Every call throws {@link CoordinatorFault} when there is no usable answer. */
export type CoordinatorClient = {
  lease: (request: LeaseRequest) => Promise<LeaseAnswer>
  renew: (request: RenewRequest) => Promise<RenewAnswer>
  /** Asks for the lease of an attempt again that an earlier process of this runner had. */
  resume: (runner: RunnerIdentity, held: HeldAttempt) => Promise<ResumeAnswer>
  /** @returns null when the task has none */
  openTranscript: (taskId: string, attempt: number) => Promise<Readable | null>
  /** @returns null when the task has none */
  openCheckpoint: (taskId: string, attempt: number) => Promise<Readable | null>
  /** Streams `body` up. It is stored when this returns. */
  saveArtifact: (taskId: string, attempt: number, kind: ArtifactKind, body: Readable, more?: Saving) => Promise<void>
}

/**
 * `proof`: for an attempt that is over on this host. `behind`: the body is only what comes behind the beginning of the artifact. `atMostMs`:
 * for the whole upload.
 */
export type Saving = { proof?: string | undefined; behind?: Behind | undefined; atMostMs?: number | undefined }

/** `unreachable`: no answer, or one that means "later"; `refused`: it answered and refused. */
export class CoordinatorFault extends Error {
  readonly kind: 'unreachable' | 'refused'
  /** The status of its answer; null when there was none, or when the refusal is about this runner. */
  readonly status: number | null
  /** What its answer says to a person; null when it says nothing. */
  readonly sentence: string | null
  constructor(
    kind: CoordinatorFault['kind'],
    message: string,
    { cause, status = null, sentence = null }: { cause?: unknown; status?: number | null; sentence?: string | null } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.sentence = sentence
    this.name = 'CoordinatorFault'
    this.kind = kind
  }
}

/** @returns whether the coordinator was away: no answer came, or only one from a proxy in front of it */
export function isAway(error: unknown): boolean {
  return error instanceof CoordinatorFault && error.kind === 'unreachable' && [null, 502, 504].includes(error.status)
}

const UPLOAD_MS = 10 * 60_000
const TOKEN_REFUSED =
  'runner token refused: set RUNNER_TOKEN to the one that the coordinator has (its RUNNER_TOKEN, or runner-token in its data folder)'

type Options = {
  url: string
  token: string
  /** The proof that this runner holds the lease of an attempt; undefined for one that it knows nothing of. */
  proofOf: (taskId: string, attempt: number) => string | undefined
  log: Logger
}
type Request = RequestInit & { duplex?: 'half' }

export function createCoordinatorClient(options: Options): CoordinatorClient {
  const call = async (path: string, request: Request, timeoutMs: number): Promise<Response> =>
    expectOk(options, path, await send(options, path, request, timeoutMs))

  const ask = async <T>(path: string, request: object, schema: z.ZodType<T>): Promise<T> => {
    const headers = { 'content-type': 'application/json' }
    const response = await call(path, { method: 'POST', headers, body: JSON.stringify(request) }, COORDINATOR_ANSWER_MS)
    const answer = schema.safeParse(await response.json().catch(() => undefined))
    if (answer.success) return answer.data
    const doubt = `the coordinator's answer to ${path} cannot be understood; are both of the same version?`
    throw new CoordinatorFault('refused', doubt)
  }

  const open = async (path: string, proof: string | undefined): Promise<Readable | null> => {
    const response = await send(options, path, { headers: proofHeader(proof) }, UPLOAD_MS)
    if (response.status === 404) {
      await response.body?.cancel()
      return null
    }
    const { body } = await expectOk(options, path, response)
    // Node's fetch gives the very stream that `fromWeb` takes; the types of the two do not know each other.
    return body && Readable.fromWeb(body as WebStream)
  }

  return {
    lease: (request) => ask(RUNNER_PATHS.lease, request, LeaseAnswer),
    renew: ({ runner, attempts }) =>
      ask(RUNNER_PATHS.renew, { runner, attempts: attempts.map((one) => proven(options, one)) }, RenewAnswer),
    resume: (runner, held) => ask(RUNNER_PATHS.resume, { runner, held: proven(options, held) }, ResumeAnswer),
    openTranscript: (taskId, attempt) => open(RUNNER_PATHS.transcript(taskId, attempt), options.proofOf(taskId, attempt)),
    openCheckpoint: (taskId, attempt) => open(RUNNER_PATHS.checkpoint(taskId, attempt), options.proofOf(taskId, attempt)),
    saveArtifact: async (
      taskId,
      attempt,
      kind,
      body,
      { proof = options.proofOf(taskId, attempt), behind, atMostMs = UPLOAD_MS } = {},
    ) => {
      const headers = { 'content-type': 'application/octet-stream', ...proofHeader(proof) }
      const path = RUNNER_PATHS.artifact(taskId, attempt, kind) + (behind ? `?from=${behind.from}&hash=${behind.hash}` : '')
      const response = await call(path, { method: 'PUT', headers, body: Readable.toWeb(body), duplex: 'half' }, atMostMs)
      await response.body?.cancel()
    },
  }
}

function proven({ proofOf }: Options, held: HeldAttempt): HeldAttempt {
  return { ...held, proof: held.proof ?? proofOf(held.taskId, held.attempt) }
}

function proofHeader(proof: string | undefined): Record<string, string> {
  return proof === undefined ? {} : { [PROOF_HEADER]: proof }
}

/** @returns any answer. @throws CoordinatorFault when there is none */
async function send({ url, token }: Options, path: string, request: Request, timeoutMs: number): Promise<Response> {
  const headers = { ...request.headers, authorization: `Bearer ${token}` }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(url + path, { ...request, headers, signal, redirect: 'error' })
  } catch (cause) {
    throw new CoordinatorFault('unreachable', `the coordinator at ${url} does not answer`, { cause })
  }
}

/** @returns the answer. @throws CoordinatorFault if its status is not a success */
async function expectOk({ log }: Options, path: string, response: Response): Promise<Response> {
  const { status } = response
  if (response.ok) return response
  const answer = (await response.text().catch(() => '')).slice(0, 500)
  if (status === 401) {
    log.error({ event: 'runner.token_refused' }, TOKEN_REFUSED)
    throw new CoordinatorFault('refused', TOKEN_REFUSED)
  }
  const isLater = status >= 500 || status === 429
  const message = `the coordinator answered ${status} to ${path}: ${answer}`
  throw new CoordinatorFault(isLater ? 'unreachable' : 'refused', message, { status, sentence: sentenceIn(answer) })
}

const Refused = z.object({ error: z.object({ message: z.string() }) })

function sentenceIn(answer: string): string | null {
  return Refused.safeParse(parseJson(answer)).data?.error.message ?? null
}

const LOOK_EVERY_MS = 200
const TOKEN_WAIT_MS = 60_000

/**
 * @returns the runner token: as given, or from a file that the coordinator writes at its own first start, which may be a little later
 * @throws Error with what to do when the file does not appear
 */
export async function findToken(options: { token: string | null; tokenFile: string | null; log: Logger }): Promise<string> {
  const { token, tokenFile, log } = options
  if (token) return token
  const deadline = performance.now() + TOKEN_WAIT_MS
  for (let told = false; performance.now() < deadline; told = true) {
    const found = tokenFile && (await readFile(tokenFile, 'utf8').catch(() => '')).trim()
    if (found) return found
    if (!told) log.info({ event: 'token.awaited', file: tokenFile })
    await pause(LOOK_EVERY_MS)
  }
  throw new Error(`There is no runner token in ${tokenFile}. Start the coordinator, or set RUNNER_TOKEN to its token.`)
}
