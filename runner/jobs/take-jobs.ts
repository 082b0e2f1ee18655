import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq'
import type { Logger } from 'pino'
import { JOB_LOCK_MS, RUNNER_STOP, STALL_CHECK_MS } from '../../contract/wire/deadlines.ts'
import { retryDelayMs } from '../../contract/wire/job.ts'
import { QUEUE_NAME } from '../../contract/wire/names.ts'
import { within } from '../process/deadline.ts'
import { rateLimitedLog } from '../process/rate-limited-log.ts'
import type { TurnAnswer } from './lease-and-run.ts'

export type Taking = {
  /** Takes no further turns; the current ones continue. */
  pause: () => Promise<void>
  /** Takes turns again. */
  resume: () => Promise<void>
  /** Returns when the queue has every answer, or did not take the last ones in time. Call it when no turn is left. */
  close: () => Promise<void>
}

type Options = {
  redisUrl: string
  /** How many turns run at once. */
  slots: number
  /** @param data not parsed yet: whatever somebody with access to Redis put there */
  handle: (data: unknown) => Promise<TurnAnswer>
  log: Logger
  lockMs?: number
  stallCheckMs?: number
}

/** A connection on which nothing answers for this long is broken and is reopened. BullMQ itself blocks for 10 s at most. */
const SILENT_MS = 30_000

/** Takes turns off the queue, one for each free slot. The lock on a job is no fence: the lease is. */
export function takeJobs({ redisUrl, slots, handle, log, lockMs = JOB_LOCK_MS, stallCheckMs = STALL_CHECK_MS }: Options): Taking {
  const report = rateLimitedLog(log, 'queue.error')
  let leaving = false
  const retryStrategy = (times: number) => (leaving ? null : Math.min(times * 50, 1_000))
  const worker = new Worker(QUEUE_NAME, async (job, token) => answerQueue(job, token, await handle(job.data)), {
    connection: { url: redisUrl, maxRetriesPerRequest: null, retryStrategy, socketTimeout: SILENT_MS },
    concurrency: slots,
    lockDuration: lockMs,
    stalledInterval: stallCheckMs,
    // BullMQ counts stalls over a job's whole life and then fails it for good. The store decides when enough is enough.
    maxStalledCount: 1000,
    settings: { backoffStrategy: (tries) => retryDelayMs(tries, Math.random()) },
  })
  // While Redis is full or away, a worker fails in a tight loop.
  worker.on('error', report)
  const giveUp = () => {
    leaving = true
    log.warn({ event: 'queue.left_unanswered' })
  }
  return {
    pause: () => worker.pause(true),
    resume: () => worker.resume(),
    // BullMQ waits forever for an absent Redis. The store knows what could not be written there.
    close: () => within(RUNNER_STOP.closeQueueMs, () => worker.close().catch(report), giveUp),
  }
}

async function answerQueue(job: Job, token: string | undefined, answer: TurnAnswer): Promise<{ outcome: string }> {
  switch (answer.type) {
    case 'done':
      return { outcome: answer.outcome }
    case 'never':
      throw new UnrecoverableError(answer.why)
    case 'interrupted':
      throw new Error(answer.why)
    case 'later':
      await job.moveToDelayed(Date.now() + answer.afterMs, token)
      throw new DelayedError()
  }
}
