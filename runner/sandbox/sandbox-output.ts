import { createHash } from 'node:crypto'
import { PassThrough, type Writable } from 'node:stream'
import { LOG_BYTES } from './container-spec.ts'
import type { Output } from './engine-output.ts'
import { EngineFault } from './sandbox.ts'
import { tailOf } from './tail.ts'

/** What a sandbox says, over as many readings as it takes: each byte once. */
export type SandboxOutput = {
  stdout: PassThrough
  /** The last of standard error. */
  errorTail: () => string
  /** Nothing more is taken over. */
  end: () => void
  /** Begins a reading that starts at the first byte again. Only one at a time. */
  again: () => {
    /**
     * Takes over what is new, and returns when there is room for more.
     * @throws EngineFault when this reading began with other bytes than the ones that were read before
     */
    take: (output: Output) => Promise<void>
    /** Bytes that an earlier reading had, and this one has not come to yet. */
    behind: () => number
  }
  /** @throws EngineFault when the engine may have begun its log anew: then it is not known what is missing in it */
  checkLog: () => void
}

/** An entry of the log takes this much beside its bytes, at most. */
const ENTRY_BYTES = 128
const ENTRIES_PER_BYTE = 1 / (16 * 1024)

export function openOutput(): SandboxOutput {
  const stdout = new PassThrough()
  const streams = { stdout: readOnce(), stderr: readOnce() }
  const tail = tailOf()
  return {
    stdout,
    errorTail: tail.text,
    end: () => stdout.end(),
    again: () => {
      const readings = { stdout: streams.stdout.again(), stderr: streams.stderr.again() }
      return {
        behind: () => readings.stdout.behind() + readings.stderr.behind(),
        take: async (output: Output) => {
          tail.push(readings.stderr.take(output.stderr))
          const fresh = readings.stdout.take(output.stdout)
          if (fresh.length === 0 || stdout.writableEnded) return
          if (!stdout.write(fresh)) await roomIn(stdout)
        },
      }
    },
    checkLog: () => {
      const said = [streams.stdout.extent(), streams.stderr.extent()]
      const kept = said.reduce((sum, { bytes, lines }) => sum + bytes + ENTRY_BYTES * (1 + lines + bytes * ENTRIES_PER_BYTE), 0)
      if (kept > LOG_BYTES)
        throw new EngineFault(
          'engine_unavailable',
          "The sandbox said more than the Docker engine's log holds; what was missed is lost.",
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

/** One stream of output, over as many readings as it takes: every byte once. */
type ReadOnce = {
  /** How much was read, and how many lines of it ended. */
  extent: () => { bytes: number; lines: number }
  /** Begins a reading that starts at the first byte again. Only one at a time. */
  again: () => Reading
}

type Reading = {
  /**
   * @returns what is new of the next bytes
   * @throws EngineFault when this reading began with other bytes than the ones that were read before
   */
  take: (bytes: Buffer) => Buffer
  /** Bytes that an earlier reading had, and this one has not come to yet. */
  behind: () => number
}

function readOnce(): ReadOnce {
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0

  const keep = (fresh: Buffer): Buffer => {
    hash.update(fresh)
    bytes += fresh.length
    for (let end = fresh.indexOf(10); end >= 0; end = fresh.indexOf(10, end + 1)) lines += 1
    return fresh
  }

  return {
    extent: () => ({ bytes, lines }),
    again: () => {
      const known = hash.copy().digest()
      const heard = createHash('sha256')
      let behind = bytes
      return {
        behind: () => behind,
        take: (piece) => {
          if (behind === 0) return keep(piece)
          const repeated = piece.subarray(0, behind)
          heard.update(repeated)
          behind -= repeated.length
          if (behind === 0 && !heard.digest().equals(known))
            throw new EngineFault(
              'engine_unavailable',
              "The Docker engine's log is not what the sandbox said: something is missing.",
            )
          return keep(piece.subarray(repeated.length))
        },
      }
    },
  }
}
