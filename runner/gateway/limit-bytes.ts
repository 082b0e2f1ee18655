export class TooManyBytes extends Error {
  override name = 'TooManyBytes'
}

/** A step of a pipeline that passes everything on, and ends it with {@link TooManyBytes} beyond `maxBytes`. */
export function limitBytes(maxBytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new TooManyBytes(`more than ${maxBytes} bytes`)
      yield chunk
    }
  }
}
