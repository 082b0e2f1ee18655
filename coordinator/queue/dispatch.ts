import { Queue } from 'bullmq'
import type { Logger } from 'pino'
import { JOB_RETRY, JobData } from '../../contract/wire/job.ts'
import { jobId, QUEUE_NAME } from '../../contract/wire/names.ts'
import { startLoop } from '../process/loop.ts'
import { countSlots } from '../store/runners.ts'
import type { Store } from '../store/sqlite/database.ts'
import { countReleased, listWaiting, releaseTask } from '../store/tasks.ts'
import type { RedisLinks } from '../wire/redis.ts'
import type { Signatures } from '../wire/signatures.ts'
import { chooseNext } from './choose-next.ts'

export type Turn = { taskId: string; turn: number }

/** Hands waiting tasks to runners. The store is the truth; what BullMQ holds can be made anew at any moment. */
export type Dispatch = {
  /** For Bull Board alone. */
  queue: Queue
  /** Something changed: look whether a task can be released. Never throws and does not wait. */
  nudge: () => void
  /** Takes a turn out of the queue, if no runner has it yet. */
  withdraw: (taskId: string, turn: number) => Promise<void>
  /** Puts a released turn into the queue again, if its job is gone or over. @returns whether it was */
  restore: (taskId: string, turn: number) => Promise<boolean>
  /** The turns that wait in the queue, pauses between two attempts included. */
  listQueued: () => Promise<Turn[]>
  /** How many wait; -1 when Redis is away. */
  countQueued: () => Promise<number>
  isReady: () => boolean
  /**
   * Resolves when the queue can be worked with. BullMQ asks Redis once what it can do, and never again after a failure.
   * @throws Error with what to do when that failed
   */
  whenReady: () => Promise<void>
  stop: () => Promise<void>
}

/** Beyond the runners' free slots, so that a slot that falls free finds its next job in the queue. */
const SPARE = 2

export function createDispatch(parts: { db: Store; redis: RedisLinks; signatures: Signatures; log: Logger }): Dispatch {
  const { db, redis, signatures, log } = parts
  const queue = new Queue(QUEUE_NAME, {
    connection: redis.commands,
    defaultJobOptions: { ...JOB_RETRY, removeOnComplete: { count: 1_000 }, removeOnFail: { count: 1_000 } },
  })
  // The connection is ours, and tells of its troubles itself.
  queue.on('error', (error) => log.debug({ event: 'queue.error', err: error }))

  // BullMQ ignores an id that it has already: the same turn twice is one job.
  const enqueue = ({ taskId, turn }: Turn) => queue.add('turn', signatures.signJob(taskId, turn), { jobId: jobId(taskId, turn) })

  const release = async () => {
    if (!redis.isReady()) return
    const now = Date.now()
    const places = (await countSlots(db, now)) + SPARE - (await countReleased(db))
    if (places <= 0) return
    for (const next of chooseNext(await listWaiting(db, places), places)) {
      // First the store: a crash between the two leaves a released turn without a job, which the reconciler finds.
      if (!(await releaseTask(db, next.taskId, next.userId, now))) continue
      await enqueue(next)
      log.info({ event: 'task.released', taskId: next.taskId, turn: next.turn })
    }
  }
  const loop = startLoop({
    work: release,
    onError: (error) => log.warn({ event: 'dispatch.failed', err: error }),
    everyMs: 2_000,
  })
  loop.wake()

  return {
    queue,
    nudge: loop.wake,
    withdraw: async (taskId, turn) => {
      await queue.remove(jobId(taskId, turn))
    },
    restore: async (taskId, turn) => {
      const state = await queue.getJobState(jobId(taskId, turn))
      if (state === 'completed' || state === 'failed') await queue.remove(jobId(taskId, turn))
      else if (state !== 'unknown') return false
      await enqueue({ taskId, turn })
      return true
    },
    listQueued: async () => {
      const jobs = await queue.getJobs(['waiting', 'delayed'])
      return jobs.flatMap((job) => JobData.safeParse(job?.data).data ?? [])
    },
    countQueued: () => (redis.isReady() ? queue.getJobCountByTypes('waiting', 'delayed') : Promise.resolve(-1)),
    isReady: redis.isReady,
    whenReady: async () => {
      try {
        await queue.waitUntilReady()
      } catch (cause) {
        throw new Error('Redis failed while the queue was opened. Start the server again when it is well.', { cause })
      }
    },
    stop: async () => {
      await loop.stop()
      await queue.close()
    },
  }
}
