import type { Logger } from 'pino'
import { LEASE_RETRY_MS } from '../../contract/wire/deadlines.ts'
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

/** The places for attempts. One that was adopted takes a place without a job. */
export type Slots = {
  /** Takes a place, if one is free. */
  tryTake: () => boolean
  free: () => void
  /** Takes a place for `work`, even if none is free. */
  during: <T>(work: () => Promise<T>) => Promise<T>
}

export function createSlots(count: number): Slots {
  let taken = 0
  const free = () => {
    taken -= 1
  }
  return {
    tryTake: () => {
      if (taken >= count) return false
      taken += 1
      return true
    },
    free,
    during: (work) => {
      taken += 1
      return work().finally(free)
    },
  }
}

/** How soon a turn that came to an unwell or full runner is offered again, so that another one can take it. */
const NOT_HERE_MS = 1_000
/** How soon the runner asks a silent coordinator again. */
const ASK_AGAIN_MS = 5_000

type Parts = {
  client: Pick<CoordinatorClient, 'lease'>
  runner: RunnerIdentity
  /** Whether this host can run a sandbox now. */
  mayTake: () => Promise<boolean>
  slots: Slots
  /** @returns null when the attempt is left to the next process of this runner */
  run: (lease: Lease) => Promise<End | null>
  log: Logger
}

/** Takes one turn from the queue: asks for its lease, runs the attempt, and answers the queue. Never throws. */
export async function leaseAndRun(parts: Parts, data: unknown): Promise<TurnAnswer> {
  const { mayTake, slots } = parts
  if (!(await mayTake()) || !slots.tryTake()) return { type: 'later', afterMs: NOT_HERE_MS }
  try {
    return await runTurn(parts, data)
  } finally {
    slots.free()
  }
}

async function runTurn({ client, runner, run, log }: Parts, data: unknown): Promise<TurnAnswer> {
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

function answerTo(end: End | null, now: number): TurnAnswer {
  if (!end) return { type: 'later', afterMs: LEASE_RETRY_MS }
  const { outcome, reason, until } = end
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
    case 'outdated':
    case 'draining':
      return { type: 'later', afterMs: retryAfterMs }
  }
}
