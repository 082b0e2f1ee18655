import { EngineFault } from './sandbox.ts'

const HEADER_BYTES = 8
const NEWLINE = Buffer.from('\n')

/** The engine's log keeps a longer line in pieces: all of exactly this size, and a shorter last one, which may be empty. */
const LOG_PIECE_BYTES = 16 * 1024

const STREAMS = { 1: 'stdout', 2: 'stderr' } as const
type Stream = (typeof STREAMS)[keyof typeof STREAMS]

export type Output = Readonly<Record<Stream, Buffer>>

/**
 * Takes apart what an engine sends of a container without a terminal: frames of a header (stream, three zeros, length) and that many bytes.
 * What the frames are is the sandbox's doing, down to thousands of empty ones in one piece.
 *
 * In the log each frame is one entry. The engine leaves out the newline after a line that it kept in pieces, so it is put back here. A short
 * entry that has no newline and continues no line is the end of the output, or was cut by an engine that stopped: there none is missing.
 * @returns a function that takes one piece after the other. @throws EngineFault at output that is in no frame
 */
export function frameReader(from: 'container' | 'log'): (piece: Buffer) => Output {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  let bytesLeft = 0
  let endsInNewline = false
  const inPieces = { stdout: false, stderr: false }

  const endFrame = (stream: Stream, output: Buffer[]) => {
    if (from !== 'log') return
    const whole = header.readUInt32BE(4) === LOG_PIECE_BYTES
    if (!endsInNewline && !whole && inPieces[stream]) output.push(NEWLINE)
    inPieces[stream] = !endsInNewline && whole
  }

  return (piece) => {
    const output: Record<Stream, Buffer[]> = { stdout: [], stderr: [] }
    for (let at = 0; at < piece.length; ) {
      if (bytesLeft === 0) {
        const copied = piece.copy(header, headerBytes, at)
        at += copied
        headerBytes = (headerBytes + copied) % HEADER_BYTES
        if (headerBytes > 0) break
        bytesLeft = header.readUInt32BE(4)
        endsInNewline = false
      }
      const stream = STREAMS[header[0] as keyof typeof STREAMS]
      if (!stream) throw new EngineFault('engine_unavailable', 'The Docker engine sent output that is in no frame.')
      const part = piece.subarray(at, at + bytesLeft)
      at += part.length
      bytesLeft -= part.length
      output[stream].push(part)
      if (part.length > 0) endsInNewline = part.at(-1) === NEWLINE[0]
      if (bytesLeft === 0) endFrame(stream, output[stream])
    }
    return { stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr) }
  }
}
