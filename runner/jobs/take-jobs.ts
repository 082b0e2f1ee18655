import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq'
import type { Logger } from 'pino'
import { JOB_LOCK_MS, RUNNER_STOP, STALL_CHECK_MS } from '../../contract/wire/deadlines.ts'
import { retryDelayMs } from '../../contract/wire/job.ts'
import { QUEUE_NAME } from '../../contract/wire/names.ts'
import { within } from '../process/deadline.ts'
import { rateLimitedLog } from '../process/rate-limited-log.ts'

/** What became of a turn that was taken. `interrupted` is retried with the queue's own backoff; `later` costs it nothing. */
export type TurnAnswer =
  | { say: 'done'; outcome: string }
  | { say: 'later'; afterMs: number }
  | { say: 'never'; why: string }
  | { say: 'interrupted'; why: string }

export type Taking = {
  /** Takes no more; what runs goes on. */
  pause: () => Promise<void>
  /** Takes again. */
  resume: () => Promise<void>
  /** Returns when everything taken has been answered, and the queue has heard it or is away. */
  close: () => Promise<void>
}

type Options = {
  redisUrl: string
  /** Turns at once. */
  slots: number
  /** @param data unread: whatever somebody with access to Redis put there */
  handle: (data: unknown) => Promise<TurnAnswer>
  log: Logger
  lockMs?: number
  stallCheckMs?: number
}

/** A connection on which a call is answered by nothing for so long is broken, and made anew. BullMQ itself blocks for 10 s at most. */
const SILENT_MS = 30_000

/** Takes turns off the queue, one per free slot. The lock on a job is no fence: the lease is. */
export function takeJobs({ redisUrl, slots, handle, log, lockMs = JOB_LOCK_MS, stallCheckMs = STALL_CHECK_MS }: Options): Taking {
  const report = rateLimitedLog(log, 'queue.error')
  let leaving = false
  const retryStrategy = (times: number) => (leaving ? null : Math.min(times * 50, 1_000))
  const underWay = new Set<Promise<TurnAnswer>>()
  const handleCounted = async (data: unknown): Promise<TurnAnswer> => {
    const answer = handle(data)
    underWay.add(answer)
    return answer.finally(() => underWay.delete(answer))
  }
  const worker = new Worker(QUEUE_NAME, async (job, token) => answerQueue(job, token, await handleCounted(job.data)), {
    connection: { url: redisUrl, maxRetriesPerRequest: null, retryStrategy, socketTimeout: SILENT_MS },
    concurrency: slots,
    lockDuration: lockMs,
    stalledInterval: stallCheckMs,
    // BullMQ counts stalls over a job's whole life and then fails it for good. The store decides when enough is enough.
    maxStalledCount: 1000,
    settings: { backoffStrategy: (tries) => retryDelayMs(tries, Math.random()) },
  })
  // While Redis is full or away a worker fails in a tight loop.
  worker.on('error', report)
  return {
    pause: () => worker.pause(true),
    resume: () => worker.resume(),
    close: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay)
      // BullMQ waits without end for a Redis that is away. What cannot be written down there, the store knows.
      await within(
        RUNNER_STOP.closeQueueMs,
        () => worker.close().catch(report),
        () => {
          leaving = true
          log.warn({ event: 'queue.left_unanswered' })
        },
      )
    },
  }
}

async function answerQueue(job: Job, token: string | undefined, answer: TurnAnswer): Promise<{ outcome: string }> {
  switch (answer.say) {
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
