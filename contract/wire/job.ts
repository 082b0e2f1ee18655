import { z } from 'zod'

/**
 * What Redis stores of a turn: ids and the coordinator's signature over them. No prompt, no secret. A runner copies it into its lease
 * request, and there the coordinator checks its own signature.
 */
export const JobData = z.object({
  taskId: z.string(),
  turn: z.number().int().positive(),
  /** HMAC-SHA256, hex, over {@link signedJobText} with a key that only the coordinator has. */
  signature: z.string(),
})
export type JobData = z.infer<typeof JobData>

export function signedJobText(taskId: string, turn: number): string {
  return `job\n${taskId}\n${turn}`
}

/** BullMQ's retries of interrupted attempts; the runner computes the pauses with {@link retryDelayMs}. */
export const JOB_RETRY = { attempts: 20, backoff: { type: 'capped' } } as const

const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 120_000
/** The random part of a pause, so that turns that failed together do not come back together. */
const JITTER = 0.5

/**
 * Pure. The pause before the next try: twice as long each time, up to two minutes.
 * @param tries how many were interrupted, 1 or more
 * @param random 0 to 1
 */
export function retryDelayMs(tries: number, random: number): number {
  const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1))
  return Math.round(longest * (1 - JITTER * random))
}
