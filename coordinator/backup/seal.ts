import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scryptSync } from 'node:crypto'
import { Transform } from 'node:stream'

/*
 * The form of an encrypted backup: HEADER, 16 bytes of salt, then pieces. A piece has 64 KiB of text, the last one less or as much, each
 * sealed with AES-256-GCM (a tag of 16 bytes follows it). The nonce is the number of the piece (11 bytes) and whether it is the last
 * (1 byte): the STREAM construction, as in age (github.com/C2SP/C2SP/blob/main/age.md). So pieces that were cut off, moved, repeated or
 * joined from two backups do not open. The key is made from the person's key and the salt by scrypt, and is used for one backup only.
 */

const HEADER = Buffer.from('errand backup, encrypted, form 1\n')
const SALT_BYTES = 16
const PIECE_BYTES = 64 * 1024
const TAG_BYTES = 16
/** 64 MB and about a quarter of a second for each guess. */
const SCRYPT: ScryptOptions = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }

/** A backup cannot be read, for the person who restores it. */
export class UnreadableBackup extends Error {
  override name = 'UnreadableBackup'
}

/** @param secret the person's key, as text */
export function createSealing(secret: string): Transform {
  const salt = randomBytes(SALT_BYTES)
  const key = keyOf(secret, salt)
  let number = 0
  let kept = Buffer.alloc(0)
  const seal = (text: Buffer, last: boolean): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++, last), { authTagLength: TAG_BYTES })
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  }
  return new Transform({
    construct(done) {
      this.push(Buffer.concat([HEADER, salt]))
      done()
    },
    transform(chunk: Buffer, _encoding, done) {
      kept = Buffer.concat([kept, chunk])
      // What fills a piece may be the last one, so it waits for more.
      while (kept.length > PIECE_BYTES) {
        this.push(seal(kept.subarray(0, PIECE_BYTES), false))
        kept = kept.subarray(PIECE_BYTES)
      }
      done()
    },
    flush(done) {
      this.push(seal(kept, true))
      done()
    },
  })
}

/** Emits nothing that was not verified. Fails with {@link UnreadableBackup}. @param secret null: none was given */
export function createOpening(secret: string | null): Transform {
  let key: Buffer | null = null
  let number = 0
  let kept = Buffer.alloc(0)
  const open = (sealed: Buffer, last: boolean): Buffer => {
    const tag = sealed.subarray(-TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key ?? '', nonceOf(number++, last), { authTagLength: TAG_BYTES })
    try {
      return Buffer.concat([decipher.setAuthTag(tag).update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
    } catch {
      throw new UnreadableBackup(number === 1 ? wrongKey() : damaged())
    }
  }
  const opened = (last: boolean): Buffer[] => {
    const pieces: Buffer[] = []
    if (!key && kept.length >= HEADER.length + SALT_BYTES) {
      key = keyOf(needSecret(secret), kept.subarray(HEADER.length, HEADER.length + SALT_BYTES))
      kept = kept.subarray(HEADER.length + SALT_BYTES)
    }
    while (key && kept.length > PIECE_BYTES + TAG_BYTES) {
      pieces.push(open(kept.subarray(0, PIECE_BYTES + TAG_BYTES), false))
      kept = kept.subarray(PIECE_BYTES + TAG_BYTES)
    }
    if (!last) return pieces
    if (!key || kept.length < TAG_BYTES) throw new UnreadableBackup(damaged())
    return [...pieces, open(kept, true)]
  }
  const take = (stream: Transform, last: boolean, done: (error?: Error) => void) => {
    try {
      for (const piece of opened(last)) stream.push(piece)
      done()
    } catch (error) {
      done(error as Error)
    }
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      kept = Buffer.concat([kept, chunk])
      take(this, false, done)
    },
    flush(done) {
      take(this, true, done)
    },
  })
}

/** @param beginning the first bytes of a file, at least {@link HEADER_BYTES} if it has as many */
export function isSealed(beginning: Buffer): boolean {
  return beginning.subarray(0, HEADER.length).equals(HEADER)
}
export const HEADER_BYTES = HEADER.length

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce[11] = last ? 1 : 0
  return nonce
}

function keyOf(secret: string, salt: Buffer): Buffer {
  return scryptSync(secret, salt, 32, SCRYPT)
}

function needSecret(secret: string | null): string {
  if (secret !== null) return secret
  throw new UnreadableBackup('This backup is encrypted. Give its key with --key-file FILE or ERRAND_BACKUP_KEY.')
}

function wrongKey(): string {
  return 'This key does not open the backup: it is another key, or the file was changed. Give the key that the backup was made with.'
}

export function damaged(): string {
  return 'The backup is damaged: a part of it was cut off or changed. Take another one, or copy it here again.'
}
