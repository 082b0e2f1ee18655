import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { Refusal } from '../process/errors.ts'

export type Secrets = {
  /** @param context whose secret it is and its purpose; opening it needs the same context */
  seal: (text: string, context: string) => string
  /** @throws Refusal `unavailable` if it was changed, moved to another row, or sealed with another key */
  open: (sealed: string, context: string) => string
  /** Whether it names this key; it may still fail to open. */
  isOwn: (sealed: string) => boolean
  /** A key of 32 bytes for one purpose, the same at every start with the same secret key. */
  deriveKey: (purpose: string) => Buffer
}

/** Length of the server's secret key. */
export const KEY_BYTES = 32
const IV_BYTES = 12
/** Passed on every call: without it Node accepts a tag of four bytes. */
const TAG_BYTES = 16

/**
 * Encryption at rest: AES-256-GCM under a key derived from the server's secret key, as `v1.<key id>.<iv>.<ciphertext>.<tag>`.
 * The context is authenticated as well (AAD), so a sealed text that is copied to another row does not open there.
 * @param key the server's secret key, 32 bytes
 */
export function createSecrets(key: Buffer): Secrets {
  if (key.length !== KEY_BYTES) throw new Error(`The secret key has ${key.length} bytes; it must have ${KEY_BYTES}.`)
  const deriveKey = (purpose: string) => Buffer.from(hkdfSync('sha256', key, '', `errand ${purpose}`, KEY_BYTES))
  const sealKey = deriveKey('seal')
  const keyId = createHash('sha256').update(deriveKey('key id')).digest('hex').slice(0, 8)
  const associated = (context: string) => Buffer.from(`v1|${keyId}|${context}`)

  const seal = (text: string, context: string): string => {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv('aes-256-gcm', sealKey, iv, { authTagLength: TAG_BYTES }).setAAD(associated(context))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return ['v1', keyId, ...[iv, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
  }

  const open = (sealed: string, context: string): string => {
    const [version, sealedWith, ...parts] = sealed.split('.')
    if (version !== 'v1' || parts.length !== 3) throw unreadable('it is not in a known form')
    if (sealedWith !== keyId) throw unreadable('it was sealed with another ERRAND_SECRET_KEY')
    const [iv, text, tag] = parts.map((part) => Buffer.from(part, 'base64url')) as [Buffer, Buffer, Buffer]
    if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw unreadable('it was cut short')
    try {
      const decipher = createDecipheriv('aes-256-gcm', sealKey, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(associated(context)).setAuthTag(tag)
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8')
    } catch (cause) {
      throw unreadable('it was changed or moved', cause)
    }
  }

  return { seal, open, isOwn: (sealed) => sealed.split('.')[1] === keyId, deriveKey }
}

function unreadable(why: string, cause?: unknown): Refusal {
  return new Refusal(
    'unavailable',
    `A stored token cannot be read: ${why}. Set it again under Git access in the settings, or sign in again.`,
    undefined,
    { cause },
  )
}
