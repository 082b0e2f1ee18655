import { z } from 'zod'

/**
 * What is in Redis for a turn: ids and the coordinator's signature over them, nothing else. No prompt, no secret.
 * A runner passes it on unread in its lease request; the coordinator checks its own signature there.
 */
export const JobData = z.object({
  taskId: z.string(),
  turn: z.number().int().positive(),
  /** HMAC-SHA256, hex, over {@link signedJobText} with a key that only the coordinator has. */
  signature: z.string(),
})
export type JobData = z.infer<typeof JobData>

export const signedJobText = (taskId: string, turn: number): string => `job\n${taskId}\n${turn}`

/** BullMQ's own retry for interrupted attempts. `jitter` is the part of a delay that is random. */
export const JOB_RETRY = { attempts: 20, backoff: { type: 'exponential', delay: 2_000, jitter: 0.5 } } as const

/** How long a worker may be silent before BullMQ gives its job to another, and how often that is looked at; milliseconds. */
export const JOB_LOCK_MS = 15_000
export const STALL_CHECK_MS = 5_000
