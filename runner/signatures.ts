import { createHmac, timingSafeEqual } from 'node:crypto'
import { type SignedMessage, type StreamEntry, signedEntryText, signedMessageText } from '../contract/river.ts'

/** @param key hex, from the lease: only its holder and the coordinator have it */
export const signEntry = (key: string, entry: Omit<StreamEntry, 'signature'>): StreamEntry => ({
  ...entry,
  signature: hmac(key, signedEntryText(entry)).toString('hex'),
})

export const signDelta = (key: string, message: Omit<SignedMessage, 'signature'>): SignedMessage => ({
  ...message,
  signature: hmac(key, signedMessageText('delta', message)).toString('hex'),
})

/** @returns whether the coordinator said it, about this very attempt */
export const isSignedWord = (key: string, message: SignedMessage): boolean => {
  const given = Buffer.from(message.signature, 'hex')
  const right = hmac(key, signedMessageText('word', message))
  return given.length === right.length && timingSafeEqual(given, right)
}

const hmac = (key: string, text: string): Buffer => createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest()
