import { z } from 'zod'
import { JobData } from './job.ts'
import { SteerMessage } from './sandbox.ts'

/** Why a runner takes nothing at the moment: a fault of its own host. `message` is for whoever runs it. */
export const Unwell = z.object({
  reason: z.enum(['engine_unavailable', 'image_missing', 'host_disk_full', 'runner_unwell']),
  message: z.string().max(500),
})
export type Unwell = z.infer<typeof Unwell>

/** Who asks. `id` is the runner's own, stable over restarts, one per host and process. */
export const RunnerIdentity = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  name: z.string().max(100),
  slots: z.number().int().positive().max(1000),
  /** Absent: it is well. */
  unwell: Unwell.optional(),
})
export type RunnerIdentity = z.infer<typeof RunnerIdentity>

/** `POST /runner/lease`: may I work on this turn? */
export const LeaseRequest = z.object({ job: JobData, runner: RunnerIdentity })
export type LeaseRequest = z.infer<typeof LeaseRequest>

/**
 * The coordinator's word to one runner: this attempt is yours until `leaseMs` from now, unless renewed.
 * It holds the short-lived secrets of this one task; they stay in the runner's memory.
 */
export const Lease = z.object({
  taskId: z.string(),
  turn: z.number().int().positive(),
  /** The fencing token: 1, 2, 3… over the whole task, never reused. */
  attempt: z.number().int().positive(),
  leaseMs: z.number().int().positive(),
  /** Hex key of HMAC-SHA256: signs this attempt's events, and the coordinator's words about it. */
  signingKey: z.string(),
  prompt: z.string(),
  /** The message that began this turn; null for a task from before messages were kept. */
  messageId: z.string().nullable(),
  /** Whether an earlier turn left a transcript to continue. */
  hasTranscript: z.boolean(),
  /** Messages to this turn that no agent has taken yet. */
  messages: z.array(SteerMessage),
  repo: z.object({
    /** As people know it. */
    url: z.string(),
    /** Where the gateway fetches and pushes; a path is below the coordinator's own address (the demo repository). */
    upstream: z.string(),
    username: z.string().nullable(),
    token: z.string().nullable(),
  }),
  baseBranch: z.string().nullable(),
  branch: z.string(),
  model: z.string(),
  modelApi: z.object({
    /** Without `/v1`; a path is below the coordinator's own address (the demo model). */
    baseUrl: z.string(),
    key: z.string(),
  }),
  /** What is left for this attempt, US dollars. */
  budgetUsd: z.number().nonnegative(),
  timeLimitMs: z.number().int().positive(),
})
export type Lease = z.infer<typeof Lease>

/**
 * Why not: `cancelled` and `ended` finish the job. `held` (another attempt's lease still runs): ask again after `retryAfterMs`. `unknown` (no
 * such turn, or a forged signature): never ask again.
 */
export const LeaseAnswer = z.discriminatedUnion('granted', [
  z.object({ granted: z.literal(true), lease: Lease }),
  z.object({
    granted: z.literal(false),
    refusal: z.enum(['cancelled', 'ended', 'held', 'unknown']),
    retryAfterMs: z.number().int().positive(),
  }),
])
export type LeaseAnswer = z.infer<typeof LeaseAnswer>

/** `POST /runner/renew`: the runner's heartbeat, with everything it holds. Sent every `RENEW_EVERY_MS`, also when it holds nothing. */
export const RenewRequest = z.object({
  runner: RunnerIdentity,
  attempts: z.array(z.object({ taskId: z.string(), attempt: z.number().int().positive() })),
})
export type RenewRequest = z.infer<typeof RenewRequest>

/**
 * One answer per attempt asked for. `cancel`: a person wants it stopped. `lost`: it is no longer yours, stop, and tell what it
 * cost. `unknown`: there is no such attempt of yours (a store that was set back); nobody will answer what you say about it.
 */
export const RenewAnswer = z.object({
  attempts: z.array(
    z.object({
      taskId: z.string(),
      attempt: z.number().int().positive(),
      state: z.enum(['held', 'cancel', 'lost', 'unknown']),
      leaseMs: z.number().int().nonnegative(),
      /** Messages to this turn that no agent has taken yet, in case the word about one was lost. */
      messages: z.array(SteerMessage),
    }),
  ),
})
export type RenewAnswer = z.infer<typeof RenewAnswer>
