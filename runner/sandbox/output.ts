import { createHash } from 'node:crypto'
import { PassThrough, type Writable } from 'node:stream'
import { LIMITS } from '../../contract/api/limits.ts'
import { LOG_BYTES } from './container-spec.ts'
import { EngineFault, type OutputLine } from './sandbox.ts'

/** The output of a sandbox. It may have to be read from the engine several times; each byte counts once. */
export type SandboxOutput = {
  /** Standard output, see {@link splitLines}. Read it once. */
  lines: AsyncIterable<OutputLine>
  /** The last bytes of standard error. */
  errorTail: () => string
  /** Ends `lines`. */
  end: () => void
  /** Begins a reading from the first byte. Only one at a time. */
  openReading: () => {
    /**
     * Adds what is new, and returns when there is room for more.
     * @throws EngineFault when this reading began with other bytes than the readings before it
     */
    take: (frames: Frames) => Promise<void>
    /** Bytes that an earlier reading brought and this one has not reached yet. */
    behind: () => number
  }
  /** @throws EngineFault when the engine may have started its log over, so that its beginning is lost */
  checkLog: () => void
}

/** The most that one entry of the log takes in addition to its bytes. */
const ENTRY_BYTES = 128
/** The engine's log stores a longer line in pieces: all of exactly this size, and a shorter last one, which may be empty. */
const LOG_PIECE_BYTES = 16 * 1024
const TAIL_BYTES = 2_048
const NEWLINE = 0x0a

export function createOutput(): SandboxOutput {
  const stdout = new PassThrough()
  const streams = { stdout: createReplayFilter(), stderr: createReplayFilter() }
  let tail = Buffer.alloc(0)
  return {
    lines: splitLines(stdout),
    errorTail: () => tail.toString('utf8').trim(),
    end: () => stdout.end(),
    openReading: () => {
      const readings = { stdout: streams.stdout.openReading(), stderr: streams.stderr.openReading() }
      return {
        behind: () => readings.stdout.behind() + readings.stderr.behind(),
        take: async (frames) => {
          tail = Buffer.concat([tail, readings.stderr.take(frames.stderr)]).subarray(-TAIL_BYTES)
          const fresh = readings.stdout.take(frames.stdout)
          if (fresh.length === 0 || stdout.writableEnded) return
          if (!stdout.write(fresh)) await roomIn(stdout)
        },
      }
    },
    checkLog: () => {
      const sizes = [streams.stdout.size(), streams.stderr.size()]
      const kept = sizes.reduce((sum, { bytes, lines }) => sum + bytes + ENTRY_BYTES * (1 + lines + bytes / LOG_PIECE_BYTES), 0)
      if (kept > LOG_BYTES)
        throw new EngineFault(
          'engine_unavailable',
          'The sandbox printed more than the Docker engine keeps, so output that was missed cannot be read again.',
        )
    },
  }
}

/** Returns also when nobody reads any more. */
function roomIn(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sink.off('drain', done).off('close', done)
      resolve()
    }
    sink.on('drain', done).on('close', done)
    if (sink.destroyed) done()
  })
}

type Reading = {
  /**
   * @returns the part of the next bytes that no reading brought before
   * @throws EngineFault when this reading began with other bytes than the readings before it
   */
  take: (bytes: Buffer) => Buffer
  /** Bytes that an earlier reading brought and this one has not reached yet. */
  behind: () => number
}

/** One stream that is read from its first byte several times. A hash of what was read tells whether a reading repeats it. */
function createReplayFilter() {
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0

  const keep = (fresh: Buffer): Buffer => {
    hash.update(fresh)
    bytes += fresh.length
    for (let end = fresh.indexOf(NEWLINE); end >= 0; end = fresh.indexOf(NEWLINE, end + 1)) lines += 1
    return fresh
  }

  return {
    size: () => ({ bytes, lines }),
    openReading: (): Reading => {
      const known = hash.copy().digest()
      const repeats = createHash('sha256')
      let behind = bytes
      return {
        behind: () => behind,
        take: (piece) => {
          if (behind === 0) return keep(piece)
          const repeated = piece.subarray(0, behind)
          repeats.update(repeated)
          behind -= repeated.length
          if (behind === 0 && !repeats.digest().equals(known))
            throw new EngineFault(
              'engine_unavailable',
              'What the Docker engine kept differs from what the sandbox printed: something is missing.',
            )
          return keep(piece.subarray(repeated.length))
        },
      }
    },
  }
}

/**
 * Splits bytes into lines and never keeps more than one bound's worth of them: the output is hostile.
 * @returns each line as text without its newline; null for one longer than `maxBytes`, and again after each `maxBytes` more. A last line
 *   without newline counts, and ends where its newline would.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number = LIMITS.lineBytes,
): AsyncGenerator<OutputLine> {
  let parts: Buffer[] = []
  let bytes = 0
  let before = 0
  let tooLong = false
  const keep = (part: Buffer) => {
    bytes += part.length
    tooLong ||= bytes > maxBytes
    if (tooLong) parts = []
    else if (part.length > 0) parts.push(part)
  }
  const take = (end: number): OutputLine => {
    const line = { text: tooLong ? null : Buffer.concat(parts).toString('utf8'), end }
    parts = []
    bytes = 0
    tooLong = false
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end))
      yield take(before + end + 1)
      start = end + 1
    }
    keep(chunk.subarray(start))
    before += chunk.length
    // The reader must hear of a line that never ends, too.
    if (bytes > 2 * maxBytes) {
      yield { text: null, end: before }
      bytes = maxBytes + 1
    }
  }
  if (bytes > 0) yield take(before + 1)
}

const HEADER_BYTES = 8
const STREAMS = { 1: 'stdout', 2: 'stderr' } as const
type Stream = (typeof STREAMS)[keyof typeof STREAMS]

/** What one piece of the engine's output held, by stream. */
export type Frames = Readonly<Record<Stream, Buffer>>

/**
 * Reads what an engine sends for a container without a terminal: frames of a header (stream, three zeros, length) and that many bytes.
 * The sandbox decides what the frames are, down to thousands of empty ones in one piece.
 *
 * In the log each frame is one entry. The engine drops the newline after a line that it stored in pieces, so this puts it back. A short
 * entry without a newline that continues no line is the end of the output, or an engine that stopped cut it: there, none is missing.
 * @returns a function that takes one piece after the other. @throws EngineFault at output that is in no frame
 */
export function createFrameReader(from: 'container' | 'log'): (piece: Buffer) => Frames {
  const header = Buffer.alloc(HEADER_BYTES)
  let headerBytes = 0
  let bytesLeft = 0
  let endsInNewline = false
  const inPieces = { stdout: false, stderr: false }

  const endFrame = (stream: Stream, output: Buffer[]) => {
    if (from !== 'log') return
    const whole = header.readUInt32BE(4) === LOG_PIECE_BYTES
    if (!endsInNewline && !whole && inPieces[stream]) output.push(Buffer.of(NEWLINE))
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
      if (part.length > 0) endsInNewline = part.at(-1) === NEWLINE
      if (bytesLeft === 0) endFrame(stream, output[stream])
    }
    return { stdout: Buffer.concat(output.stdout), stderr: Buffer.concat(output.stderr) }
  }
}
