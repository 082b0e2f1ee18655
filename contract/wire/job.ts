import * as z from 'zod'

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
/** The longest pause of an interrupted turn. */
export const LAST_RETRY_MS = 120_000
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

/** A turn that the model has kept waiting, as far as its next pause depends on it. */
export type Parking = {
  now: number
  /** When the API said to come back, milliseconds since 1970; null if it named no time. */
  asked: number | null
  /** How many attempts of the turn have ended like this in a row before, without an answer of the model. */
  before: number
  /** How long an attempt waits in its slot, milliseconds. */
  modelWaitMs: number
  /** 0 to 1 */
  random: number
}

/**
 * Pure. When a turn comes back that freed its slot because the model does not answer, milliseconds since 1970: after a third of what an
 * attempt waits, plus a random time up to a bound that doubles to three times that wait. It never comes back before the time that the API
 * named. The random part is wide, so that twenty turns that were sent away together do not come back together.
 */
export function parkedUntil({ now, asked, before, modelWaitMs, random }: Parking): number {
  const least = modelWaitMs / 3
  if (asked !== null) return Math.round(Math.max(now, asked) + random * Math.min(least * 2, Math.max(0, asked - now) / 4))
  return Math.round(now + least + random * Math.min(3 * modelWaitMs, least * 2 ** Math.min(before, 10)))
}
