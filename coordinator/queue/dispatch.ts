import { type Job, Queue } from 'bullmq'
import type { Logger } from 'pino'
import { JOB_RETRY, JobData } from '../../contract/wire/job.ts'
import { jobId, QUEUE_NAME } from '../../contract/wire/names.ts'
import { startLoop } from '../process/loop.ts'
import { countReleased, listInLine, releaseTask } from '../store/line.ts'
import { countSlots, isDiskLow } from '../store/runners.ts'
import type { Store } from '../store/sqlite/database.ts'
import type { RedisLinks } from '../wire/redis.ts'
import type { Signatures } from '../wire/signatures.ts'

export type Turn = { taskId: string; turn: number }

/** Hands waiting tasks to runners. The store is the truth: what BullMQ holds can be restored from it at any moment. */
export type Dispatch = {
  /** For Bull Board alone. */
  queue: Queue
  /** Something changed: look whether a task can be released. Never throws and does not wait. */
  nudge: () => void
  /** Takes a turn out of the queue if no runner has it yet. */
  withdraw: (taskId: string, turn: number) => Promise<void>
  /** Puts a released turn into the queue again if its job is gone or over, to be taken at its time. @returns whether it was */
  restore: (turn: Turn & { waitingUntil: number | null }) => Promise<boolean>
  /** Brings a turn back now that pauses between two attempts. @returns false if it does not pause */
  bringBack: (taskId: string, turn: number) => Promise<boolean>
  /** The turns that wait in the queue; `pauses`: between two attempts. */
  listQueued: () => Promise<(Turn & { pauses: boolean })[]>
  /** How many wait; -1 when Redis is away. */
  countQueued: () => Promise<number>
  isReady: () => boolean
  /**
   * Resolves when the queue can be used. BullMQ asks Redis once what it can do, and never again after a failure.
   * @throws Error with what to do when that failed
   */
  whenReady: () => Promise<void>
  stop: () => Promise<void>
}

export type DispatchParts = { db: Store; redis: RedisLinks; signatures: Signatures; log: Logger }

export function openDispatch(parts: DispatchParts): Dispatch {
  const { redis, log } = parts
  const queue = openQueue(parts)
  const loop = startLoop({
    work: () => release(parts, queue),
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
    restore: (turn) => restore(parts, queue, turn),
    bringBack: (taskId, turn) => bringBack(queue, jobId(taskId, turn)),
    listQueued: async () => {
      // A job that moves from one list to the other meanwhile may be missed; `restore` finds it.
      const [waiting, delayed] = [await queue.getJobs(['waiting']), await queue.getJobs(['delayed'])]
      return [...turnsOf(waiting, false), ...turnsOf(delayed, true)]
    },
    countQueued: () => (redis.isReady() ? queue.getJobCountByTypes('waiting', 'delayed') : Promise.resolve(-1)),
    isReady: redis.isReady,
    whenReady: async () => {
      try {
        await queue.waitUntilReady()
      } catch (cause) {
        throw new Error('Redis failed while the queue was being opened. Check Redis, then start the server again.', { cause })
      }
    },
    stop: async () => {
      await loop.stop()
      await queue.close()
    },
  }
}

/** Jobs beyond the runners' free slots, so that a slot that becomes free finds its next job in the queue. */
const SPARE = 2

/** Releases the head of the line, as far as the queue has room. */
async function release(parts: DispatchParts, queue: Queue): Promise<void> {
  const { db, redis, log } = parts
  if (!redis.isReady() || (await isDiskLow(db))) return
  const now = Date.now()
  const room = (await countSlots(db, now)) + SPARE - (await countReleased(db))
  if (room <= 0) return
  for (const next of await listInLine(db, room)) {
    // The store first: a crash between the two leaves a released turn without a job, which the reconciler finds.
    if (!(await releaseTask(db, next, now))) continue
    await enqueue(parts, queue, next)
    log.info({ event: 'task.released', taskId: next.taskId, turn: next.turn })
  }
}

async function restore(parts: DispatchParts, queue: Queue, turn: Turn & { waitingUntil: number | null }): Promise<boolean> {
  const id = jobId(turn.taskId, turn.turn)
  const state = await queue.getJobState(id)
  if (state === 'completed' || state === 'failed') await queue.remove(id)
  else if (state !== 'unknown') return false
  await enqueue(parts, queue, turn, Math.max(0, (turn.waitingUntil ?? 0) - Date.now()))
  return true
}

async function bringBack(queue: Queue, id: string): Promise<boolean> {
  const job = await queue.getJob(id)
  if (!(await job?.isDelayed())) return false
  await job?.promote()
  return true
}

function turnsOf(jobs: readonly (Job | undefined)[], pauses: boolean): (Turn & { pauses: boolean })[] {
  return jobs.flatMap((job) => {
    const data = JobData.safeParse(job?.data).data
    return data ? [{ taskId: data.taskId, turn: data.turn, pauses }] : []
  })
}

/** BullMQ ignores an id that it already has: the same turn twice is one job. */
async function enqueue({ signatures }: DispatchParts, queue: Queue, { taskId, turn }: Turn, delay = 0): Promise<void> {
  await queue.add('turn', signatures.signJob(taskId, turn), { jobId: jobId(taskId, turn), delay })
}

function openQueue({ redis, log }: DispatchParts): Queue {
  const queue = new Queue(QUEUE_NAME, {
    connection: redis.commands,
    defaultJobOptions: { ...JOB_RETRY, removeOnComplete: { count: 1_000 }, removeOnFail: { count: 1_000 } },
  })
  // The connection is ours and reports its own faults.
  queue.on('error', (error) => log.debug({ event: 'queue.error', err: error }))
  return queue
}
