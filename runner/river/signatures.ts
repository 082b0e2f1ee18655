import { createHmac, timingSafeEqual } from 'node:crypto'
import { signedHolderText } from '../../contract/wire/lease.ts'
import { type SignedMessage, type StreamEntry, signedEntryText, signedMessageText } from '../../contract/wire/river.ts'

/** @param key hex, from the lease: only this runner and the coordinator have it */
export function signEntry(key: string, entry: Omit<StreamEntry, 'signature'>): StreamEntry {
  return {
    ...entry,
    signature: hmacHex(key, signedEntryText(entry)),
  }
}

export function signDelta(key: string, message: Omit<SignedMessage, 'signature'>): SignedMessage {
  return {
    ...message,
    signature: hmacHex(key, signedMessageText('delta', message)),
  }
}

/** @returns whether the coordinator sent it, about this very attempt */
export function isSignedWord(key: string, message: SignedMessage): boolean {
  const given = Buffer.from(message.signature, 'hex')
  const right = Buffer.from(hmacHex(key, signedMessageText('word', message)), 'hex')
  return given.length === right.length && timingSafeEqual(given, right)
}

/** @returns the proof that this runner holds the lease of an attempt, as `HeldAttempt` carries it */
export function proveHolder(key: string, taskId: string, attempt: number): string {
  return hmacHex(key, signedHolderText(taskId, attempt))
}

export function hmacHex(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex')
}
