import * as z from 'zod'
import { LIMITS } from '../api/limits.ts'
import { SteerMessage } from './sandbox.ts'

/**
 * Everything that goes through Redis, except the queue. Everything is signed with the attempt's `signingKey` (HMAC-SHA256, hex). Only the
 * runner that has the lease and the coordinator know it, so nobody else with access to Redis can speak for a task or silence a runner.
 */

/** One entry of the event stream: the fields of `XADD`, all text. */
export const StreamEntry = z.object({
  taskId: z.string().max(100),
  attempt: z.coerce.number().int().positive(),
  /** 1, 2, 3… per attempt: the runner's own numbering, before the coordinator gives `seq`. */
  n: z.coerce.number().int().positive(),
  /** When it happened, by the runner's clock; ISO 8601. */
  at: z.iso.datetime(),
  /** `{type, data}` as JSON. */
  body: z.string().max(LIMITS.lineBytes),
  signature: z.string(),
})
export type StreamEntry = z.infer<typeof StreamEntry>

export function signedEntryText(entry: Omit<StreamEntry, 'signature'>): string {
  return `event\n${entry.taskId}\n${entry.attempt}\n${entry.n}\n${entry.at}\n${entry.body}`
}

/** A message on {@link DELTA_CHANNEL} or {@link runnerChannel}: a JSON text and its signature. */
export const SignedMessage = z.object({
  taskId: z.string(),
  attempt: z.number().int().positive(),
  body: z.string(),
  signature: z.string(),
})
export type SignedMessage = z.infer<typeof SignedMessage>

export function signedMessageText(kind: 'delta' | 'word', message: Omit<SignedMessage, 'signature'>): string {
  return `${kind}\n${message.taskId}\n${message.attempt}\n${message.body}`
}

/** The body of a delta on its channel. */
export const DeltaBody = z.object({
  /** The running call whose output this is; absent: the model writes it. */
  callId: z.string().max(200).optional(),
  offset: z.number().int().nonnegative(),
  text: z.string().max(LIMITS.deltaChars),
})
export type DeltaBody = z.infer<typeof DeltaBody>

/**
 * What the coordinator sends to a runner about one attempt. `acknowledged`: every event up to and including `n` is stored. `refused`: the
 * attempt has ended or another one is current; of its events up to and including `n`, only the cost was counted, and the same goes for
 * later ones. `cancel`: a person cancelled the turn.
 */
export const RunnerWord = z.discriminatedUnion('type', [
  z.object({ type: z.literal('acknowledged'), n: z.number().int().nonnegative() }),
  z.object({ type: z.literal('refused'), n: z.number().int().nonnegative() }),
  z.object({ type: z.literal('cancel') }),
  /** A person changed what the whole task may cost, US dollars. */
  z.object({ type: z.literal('budget'), taskBudgetUsd: z.number().nonnegative() }),
  /** For the running turn. It may arrive twice, with the same `messageId`. */
  z.object({ type: z.literal('message'), message: SteerMessage }),
  /** The person withdrew the message before the agent took it. */
  z.object({ type: z.literal('withdraw'), messageId: z.string() }),
])
export type RunnerWord = z.infer<typeof RunnerWord>
