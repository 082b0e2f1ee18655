import { createHmac, timingSafeEqual } from 'node:crypto'
import { type JobData, signedJobText } from '../../contract/wire/job.ts'
import { type HeldAttempt, signedHolderText } from '../../contract/wire/lease.ts'
import {
  type RunnerWord,
  type SignedMessage,
  type StreamEntry,
  signedEntryText,
  signedMessageText,
} from '../../contract/wire/river.ts'

/** The coordinator believes nothing in Redis without one of these signatures. */
export type Signatures = {
  signJob: (taskId: string, turn: number) => JobData
  isOurJob: (job: JobData) => boolean
  /** Hex of the 32 bytes that sign one attempt's events, deltas and words. Only the holder of its lease gets them. */
  attemptKey: (taskId: string, attempt: number) => string
  /** Whether the caller proves that it holds this attempt's lease. */
  isHolder: (held: HeldAttempt) => boolean
  isEntry: (entry: StreamEntry) => boolean
  isDelta: (message: SignedMessage) => boolean
  signWord: (taskId: string, attempt: number, word: RunnerWord) => SignedMessage
}

/** @param deriveKey returns a separate key for each purpose, the same at every start */
export function createSignatures(deriveKey: (purpose: string) => Buffer): Signatures {
  const jobKey = deriveKey('jobs')
  const attemptsKey = deriveKey('attempts')
  const keyOf = (taskId: string, attempt: number) => hmac(attemptsKey, `attempt\n${taskId}\n${attempt}`)

  return {
    signJob: (taskId, turn) => ({ taskId, turn, signature: hmac(jobKey, signedJobText(taskId, turn)).toString('hex') }),
    isOurJob: (job) => isEqual(job.signature, hmac(jobKey, signedJobText(job.taskId, job.turn))),
    attemptKey: (taskId, attempt) => keyOf(taskId, attempt).toString('hex'),
    isHolder: ({ taskId, attempt, proof = '' }) =>
      isEqual(proof, hmac(keyOf(taskId, attempt), signedHolderText(taskId, attempt))),
    isEntry: (entry) => isEqual(entry.signature, hmac(keyOf(entry.taskId, entry.attempt), signedEntryText(entry))),
    isDelta: (message) =>
      isEqual(message.signature, hmac(keyOf(message.taskId, message.attempt), signedMessageText('delta', message))),
    signWord: (taskId, attempt, word) => {
      const message = { taskId, attempt, body: JSON.stringify(word) }
      const signature = hmac(keyOf(taskId, attempt), signedMessageText('word', message)).toString('hex')
      return { ...message, signature }
    },
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function isEqual(given: string, expected: Buffer): boolean {
  const bytes = Buffer.from(given, 'hex')
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}
