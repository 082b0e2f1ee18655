import { Transform } from 'node:stream'

const HEADER_BYTES = 8
const STDOUT = 1
const STDERR = 2

/**
 * Takes apart what an engine sends of a container without a terminal: frames of a header (stream, three zeros, length) and that many bytes.
 * What the frames are is the sandbox's doing, down to thousands of empty ones in one piece.
 * @param onStderr gets what goes to standard error; standard output is what can be read
 */
export const standardOutput = (onStderr: (bytes: Buffer) => void): Transform => {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  let bytesLeft = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const output: Buffer[] = []
      for (let at = 0; at < piece.length; ) {
        if (bytesLeft === 0) {
          const copied = piece.copy(header, headerBytes, at)
          at += copied
          headerBytes = (headerBytes + copied) % HEADER_BYTES
          if (headerBytes > 0) break
          bytesLeft = header.readUInt32BE(4)
          if (header[0] !== STDOUT && header[0] !== STDERR) return done(new Error('The engine sent output that is in no frame.'))
          continue
        }
        const part = piece.subarray(at, at + bytesLeft)
        at += part.length
        bytesLeft -= part.length
        if (header[0] === STDOUT) output.push(part)
        else onStderr(part)
      }
      done(null, Buffer.concat(output))
    },
  })
}
