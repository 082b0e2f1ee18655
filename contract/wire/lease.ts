import * as z from 'zod'
import { Draining } from '../api/overview.ts'
import { JobData } from './job.ts'
import { Assignment, SteerMessage } from './sandbox.ts'

/** Why a runner takes no turns at the moment: a fault of its own host. `message` is for the person who runs it. */
export const Unwell = z.object({
  reason: z.enum(['engine_unavailable', 'image_missing', 'host_disk_full', 'runner_unwell']),
  message: z.string().max(500),
})
export type Unwell = z.infer<typeof Unwell>

/** The runner that asks. Its `id` is stable over restarts; each runner process has one. */
export const RunnerIdentity = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  name: z.string().max(100),
  slots: z.number().int().positive().max(1000),
  /** The {@link CONTRACT_VERSION} that it speaks. Absent: 0, from before versions were told. */
  contract: z.number().int().nonnegative().optional(),
  /** Absent: it is well. */
  unwell: Unwell.optional(),
})
export type RunnerIdentity = z.infer<typeof RunnerIdentity>

/**
 * The version of the words between coordinator and runners. Raise it when a runner of the version before could no longer work; raise
 * {@link OLDEST_CONTRACT} with it. A runner that is older works on its attempts to their end, and gets no new one.
 */
export const CONTRACT_VERSION = 1
export const OLDEST_CONTRACT = 1

/** What the holder of a lease signs with its `signingKey` to prove that it is the holder: a runner's token alone proves nothing. */
export function signedHolderText(taskId: string, attempt: number): string {
  return `holder\n${taskId}\n${attempt}`
}

/** `POST /runner/lease`: may I work on this turn? */
export const LeaseRequest = z.object({ job: JobData, runner: RunnerIdentity })
export type LeaseRequest = z.infer<typeof LeaseRequest>

/**
 * The coordinator's word to one runner: this attempt is yours until `leaseMs` from now, unless renewed. It carries the short-lived secrets
 * of this one task, which stay in the runner's memory.
 */
export const Lease = z.object({
  /** For the agent; the runner's gateway passes it on unchanged. */
  assignment: Assignment,
  /** For the gateway alone. */
  access: z.object({
    repo: z.object({
      /** Where the gateway fetches and pushes; a path is below the coordinator's own address (the demo repository). */
      upstream: z.string(),
      username: z.string().nullable(),
      token: z.string().nullable(),
    }),
    modelApi: z.object({
      /** Without `/v1`; a path is below the coordinator's own address (the demo model). */
      baseUrl: z.string(),
      key: z.string(),
    }),
  }),
  /** Hex key of HMAC-SHA256: signs this attempt's events, and the coordinator's words about it. */
  signingKey: z.string(),
  /** What the whole task may cost, US dollars. The assignment says what is left of it for this attempt. Absent: an older coordinator. */
  taskBudgetUsd: z.number().nonnegative().optional(),
  leaseMs: z.number().int().positive(),
  /** How many attempts of this turn before it, in a row, ended because the model did not answer. */
  parkedBefore: z.number().int().nonnegative().default(0),
  /** Messages to this turn that no agent has taken yet. */
  messages: z.array(SteerMessage),
  /** What earlier attempts pushed to the task's branch; null: nothing. */
  pushed: z
    .object({
      commit: z.string(),
      /** Whether an attempt at this turn pushed it. */
      inTurn: z.boolean(),
      /** The branch's commit when this turn began, if `inTurn`; null: the branch was not there. */
      turnBase: z.string().nullable(),
    })
    .nullable()
    .default(null),
})
export type Lease = z.infer<typeof Lease>

/**
 * Why a lease is refused: `cancelled` and `ended` finish the job. `leased` (another attempt's lease still runs), `parked` (the turn waits for
 * the model, and its time has not come), `no_room` (the coordinator's disk is almost full), `outdated` (this runner is too old) and `draining`
 * (it is being taken out of service): ask again after `retryAfterMs`. `unknown` (no such turn, or a forged signature): never ask again.
 */
export const LeaseAnswer = z.discriminatedUnion('granted', [
  z.object({ granted: z.literal(true), lease: Lease }),
  z.object({
    granted: z.literal(false),
    refusal: z.enum(['cancelled', 'ended', 'leased', 'parked', 'no_room', 'outdated', 'draining', 'unknown']),
    retryAfterMs: z.number().int().positive(),
  }),
])
export type LeaseAnswer = z.infer<typeof LeaseAnswer>

/** One attempt, and the proof that the caller holds its lease: HMAC-SHA256, hex, over {@link signedHolderText}. */
export const HeldAttempt = z.object({
  taskId: z.string().min(1).max(100),
  attempt: z.number().int().positive(),
  /** Absent: from a runner that got the lease before proofs were asked for. */
  proof: z.string().max(64).optional(),
})
export type HeldAttempt = z.infer<typeof HeldAttempt>

/** `POST /runner/resume`: a runner that was restarted still has the sandbox of this attempt, and wants its lease again. */
export const ResumeRequest = z.object({ held: HeldAttempt, runner: RunnerIdentity })
export type ResumeRequest = z.infer<typeof ResumeRequest>

/** Not granted: the attempt has ended, or is not this runner's. */
export const ResumeAnswer = z.discriminatedUnion('granted', [
  z.object({ granted: z.literal(true), lease: Lease }),
  z.object({ granted: z.literal(false) }),
])
export type ResumeAnswer = z.infer<typeof ResumeAnswer>

/** `POST /runner/renew`: the runner's heartbeat, with all its attempts. Sent every `RENEW_EVERY_MS`, even without any. */
export const RenewRequest = z.object({ runner: RunnerIdentity, attempts: z.array(HeldAttempt) })
export type RenewRequest = z.infer<typeof RenewRequest>

/**
 * One answer per attempt. `leased`: it is yours for `leaseMs`. `cancel`: so too, but a person cancelled it. `lost`: it is no longer yours;
 * stop, and report its cost. `unknown`: there is no such attempt (an older store was restored, or the proof is wrong), and its events will
 * never be acknowledged.
 */
export const RenewAnswer = z.object({
  attempts: z.array(
    z.object({
      taskId: z.string(),
      attempt: z.number().int().positive(),
      state: z.enum(['leased', 'cancel', 'lost', 'unknown']),
      leaseMs: z.number().int().nonnegative(),
      /** Messages to this turn that no agent has taken yet, in case the word about one was lost. */
      messages: z.array(SteerMessage),
      /** What the whole task may cost now, in case the word about a change was lost. */
      taskBudgetUsd: z.number().nonnegative().optional(),
    }),
  ),
  /** The oldest contract whose runners get new attempts. Absent: from a coordinator that takes all. */
  oldestContract: z.number().int().nonnegative().optional(),
  /** An administrator takes this runner out of service. */
  drain: Draining.optional(),
})
export type RenewAnswer = z.infer<typeof RenewAnswer>
