import { LIMITS } from '../../contract/api/limits.ts'

const NEWLINE = 0x0a

/**
 * Splits bytes into lines without ever holding more than one bound's worth of them: the output is a stranger's.
 * @returns each line as text without its newline, or null for one longer than `maxBytes`, again after each `maxBytes` more; a last line
 *   without newline counts
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number = LIMITS.lineBytes,
): AsyncGenerator<string | null> {
  let parts: Buffer[] = []
  let bytes = 0
  let tooLong = false
  const keep = (part: Buffer) => {
    bytes += part.length
    tooLong ||= bytes > maxBytes
    if (tooLong) parts = []
    else if (part.length > 0) parts.push(part)
  }
  const take = (): string | null => {
    const line = tooLong ? null : Buffer.concat(parts).toString('utf8')
    parts = []
    bytes = 0
    tooLong = false
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    keep(chunk.subarray(start))
    // A line without an end must be heard of, too.
    if (bytes > 2 * maxBytes) {
      yield null
      bytes = maxBytes + 1
    }
  }
  if (bytes > 0) yield take()
}
