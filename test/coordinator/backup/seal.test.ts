import { randomBytes } from 'node:crypto'
import { Readable, type Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { createOpening, createSealing, isSealed } from '../../../coordinator/backup/seal.ts'

const KEY = 'a key that nobody guesses'
const PIECE = 64 * 1024
const SEALED = PIECE + 16
/** The header and the salt. */
const HEAD = 33 + 16

describe('an encrypted backup', () => {
  it.each([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7])('of %d bytes opens with its key alone', async (size) => {
    const text = randomBytes(size)
    const sealed = await seal(text)
    expect(isSealed(sealed)).toBe(true)
    if (size >= 32) expect(sealed.includes(text.subarray(0, 32))).toBe(false)
    expect(Buffer.compare(await open(sealed), text)).toBe(0)
    expect(await fault(sealed, 'another key altogether')).toMatch(/This key does not open the backup/)
    expect(await fault(sealed, null)).toMatch(/is encrypted. Give its key with --key-file FILE or ERRAND_BACKUP_KEY/)
  })

  it('is another one each time, though text and key are the same', async () => {
    const [one, other] = [await seal(Buffer.alloc(100)), await seal(Buffer.alloc(100))]
    expect(one.subarray(HEAD).equals(other.subarray(HEAD))).toBe(false)
  })

  it('gives nothing of a piece that was changed, cut off, moved, repeated, left out or taken from another backup', async () => {
    const text = randomBytes(3 * PIECE + 7)
    const sealed = await seal(text)
    const head = sealed.subarray(0, HEAD)
    const piece = (number: number, of = sealed) => of.subarray(HEAD + number * SEALED, HEAD + (number + 1) * SEALED)
    const last = piece(3)
    const other = await seal(text)
    const broken: Record<string, Buffer> = {
      'cut in a piece': sealed.subarray(0, HEAD + SEALED + 100),
      'cut between two pieces': sealed.subarray(0, HEAD + 2 * SEALED),
      'cut before the last': sealed.subarray(0, HEAD + 3 * SEALED),
      'cut in the last': sealed.subarray(0, -1),
      'cut to its head': head,
      'two changed places': Buffer.concat([head, piece(1), piece(0), piece(2), last]),
      'one twice': Buffer.concat([head, piece(0), piece(0), piece(1), piece(2), last]),
      'one left out': Buffer.concat([head, piece(0), piece(2), last]),
      'the last in the middle': Buffer.concat([head, piece(0), last]),
      'another one of the same key and place': Buffer.concat([head, piece(0), piece(1, other), piece(2), last]),
      'more behind it': Buffer.concat([sealed, Buffer.from('x')]),
      'a changed bit': changed(sealed, HEAD + SEALED + 5),
      'a changed salt': changed(sealed, 40),
    }
    for (const [what, bytes] of Object.entries(broken))
      expect(`${what}: ${await fault(bytes)}`).toMatch(
        /: (The backup is damaged|This key does not open the backup: .* or the file was changed)/,
      )
    // What came before the fault was verified, and nothing else came out.
    const seen: Buffer[] = []
    const opening = createOpening(KEY).on('data', (data: Buffer) => seen.push(data))
    await expect(through(changed(sealed, HEAD + SEALED + 5), opening)).rejects.toThrow(/damaged/)
    expect(text.indexOf(Buffer.concat(seen))).toBe(0)
    expect(Buffer.concat(seen).length).toBeLessThanOrEqual(PIECE)
  })
})

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

function seal(text: Buffer): Promise<Buffer> {
  return through(text, createSealing(KEY))
}

function open(sealed: Buffer, key: string | null = KEY): Promise<Buffer> {
  return through(sealed, createOpening(key))
}

/** In pieces of an odd size, as a disk may give them. */
function through(bytes: Buffer, transform: Transform): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 10_007) parts.push(bytes.subarray(at, at + 10_007))
  const source = Readable.from(parts)
  return buffer(source.compose(transform))
}

function fault(sealed: Buffer, key: string | null = KEY): Promise<string> {
  return open(sealed, key).then(
    () => 'opened',
    (error: Error) => error.message,
  )
}
