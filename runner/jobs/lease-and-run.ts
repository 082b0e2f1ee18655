import type { Logger } from 'pino'
import type { End } from '../../contract/wire/end.ts'
import { JobData } from '../../contract/wire/job.ts'
import type { Lease, LeaseAnswer, RunnerIdentity } from '../../contract/wire/lease.ts'
import { type CoordinatorClient, CoordinatorFault } from '../lease/coordinator-client.ts'

/** The answer to the queue about a turn. The queue retries `interrupted` with its own backoff; `later` does not count as a try. */
export type TurnAnswer =
  | { type: 'done'; outcome: string }
  | { type: 'later'; afterMs: number }
  | { type: 'never'; why: string }
  | { type: 'interrupted'; why: string }

/** How soon a turn that came to an unwell runner is offered again, so that a healthy one can take it. */
const NOT_HERE_MS = 1_000
/** How soon the runner asks a silent coordinator again. */
const ASK_AGAIN_MS = 5_000

type Parts = {
  client: Pick<CoordinatorClient, 'lease'>
  runner: RunnerIdentity
  /** Whether this host can run a sandbox now. */
  mayTake: () => Promise<boolean>
  run: (lease: Lease) => Promise<End>
  log: Logger
}

/** Takes one turn from the queue: asks for its lease, runs the attempt, and answers the queue. Never throws. */
export async function leaseAndRun({ client, runner, mayTake, run, log }: Parts, data: unknown): Promise<TurnAnswer> {
  if (!(await mayTake())) return { type: 'later', afterMs: NOT_HERE_MS }
  const job = JobData.safeParse(data)
  if (!job.success) return { type: 'never', why: 'its data is invalid' }
  const { taskId } = job.data
  try {
    const answer = await client.lease({ job: job.data, runner })
    if (answer.granted) return answerTo(await run(answer.lease), Date.now())
    log.info({ event: 'lease.refused', taskId, refusal: answer.refusal })
    return answerToRefusal(answer)
  } catch (error) {
    log.error({ event: 'turn.fault', taskId, err: error })
    if (error instanceof CoordinatorFault) return { type: 'later', afterMs: ASK_AGAIN_MS }
    return { type: 'interrupted', why: error instanceof Error ? error.message : String(error) }
  }
}

function answerTo({ outcome, reason, until }: End, now: number): TurnAnswer {
  if (until !== undefined) return { type: 'later', afterMs: Math.max(0, Date.parse(until) - now) }
  return outcome === 'interrupted' ? { type: 'interrupted', why: reason } : { type: 'done', outcome }
}

function answerToRefusal({ refusal, retryAfterMs }: Extract<LeaseAnswer, { granted: false }>): TurnAnswer {
  switch (refusal) {
    case 'unknown':
      return { type: 'never', why: 'the coordinator does not know this turn' }
    case 'cancelled':
    case 'ended':
      return { type: 'done', outcome: refusal }
    case 'leased':
    case 'parked':
    case 'no_room':
      return { type: 'later', afterMs: retryAfterMs }
  }
}
