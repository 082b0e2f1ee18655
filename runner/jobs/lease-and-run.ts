import type { Logger } from 'pino'
import { JobData } from '../../contract/wire/job.ts'
import type { Lease, RunnerIdentity } from '../../contract/wire/lease.ts'
import type { AttemptEnd } from '../attempt/attempt-end.ts'
import { type CoordinatorClient, CoordinatorFault } from '../lease/coordinator-client.ts'
import type { TurnAnswer } from './take-jobs.ts'

/** How soon a coordinator that does not answer is asked again. */
const ASK_AGAIN_MS = 5_000

type Parts = {
  client: Pick<CoordinatorClient, 'lease'>
  runner: RunnerIdentity
  run: (lease: Lease) => Promise<AttemptEnd>
  log: Logger
}

/** One turn off the queue: ask for the lease, run the attempt, say what became of it. Never throws. */
export async function handleTurn({ client, runner, run, log }: Parts, data: unknown): Promise<TurnAnswer> {
  const job = JobData.safeParse(data)
  if (!job.success) return { say: 'never', why: 'its data is not that of a turn' }
  const { taskId } = job.data
  try {
    const answer = await client.lease({ job: job.data, runner })
    if (answer.granted) return answerOf(await run(answer.lease))
    log.info({ event: 'lease.refused', taskId, refusal: answer.refusal })
    if (answer.refusal === 'unknown') return { say: 'never', why: 'the coordinator does not know this turn' }
    if (answer.refusal === 'cancelled' || answer.refusal === 'ended') return { say: 'done', outcome: answer.refusal }
    return { say: 'later', afterMs: answer.retryAfterMs }
  } catch (error) {
    log.error({ event: 'turn.fault', taskId, err: error })
    if (error instanceof CoordinatorFault) return { say: 'later', afterMs: ASK_AGAIN_MS }
    return { say: 'interrupted', why: error instanceof Error ? error.message : String(error) }
  }
}

function answerOf({ outcome, reason }: AttemptEnd): TurnAnswer {
  return outcome === 'interrupted' ? { say: 'interrupted', why: reason } : { say: 'done', outcome }
}
