import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Behind } from '../../contract/wire/sandbox.ts'
import { Refusal } from '../process/errors.ts'

/**
 * @param stored opens what is stored
 * @returns the beginning of what is stored, and then the content. @throws Refusal `conflict`, as it is read, if that beginning is another one
 */
export function contentBehind(stored: () => Promise<Readable | null>, { from, hash }: Behind, content: Readable): Readable {
  const whole = async function* () {
    const begun = createHash('sha256')
    let missing = from
    for await (const chunk of (missing > 0 && (await stored())) || []) {
      const piece = (chunk as Buffer).subarray(0, missing)
      begun.update(piece)
      yield piece
      missing -= piece.length
      if (missing === 0) break
    }
    if (missing > 0 || begun.digest('hex') !== hash)
      throw new Refusal('conflict', 'Something else is stored here. Send the whole.')
    yield* content
  }
  return Readable.from(whole(), { objectMode: false })
}
