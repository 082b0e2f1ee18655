import { expect, it } from '@jest/globals'
import { createFrameReader, createOutput, type Frames, splitLines } from '../../runner/sandbox/output.ts'
import { EngineFault } from '../../runner/sandbox/sandbox.ts'
import { type Chance, FUZZ_TIMEOUT_MS, fuzz } from '../support/scripted/fuzz.ts'

type Stream = 'stdout' | 'stderr'
const NUMBERS = { stdout: 1, stderr: 2 } as const
/** The engine's log stores a longer line in pieces of this size. */
const PIECE = 16 * 1024

function frame(stream: Stream, content: Buffer): Buffer {
  const header = Buffer.from([NUMBERS[stream], 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(content.length, 4)
  return Buffer.concat([header, content])
}

/** Lines as a hostile program prints them: empty, long, exactly as long as a piece, with bytes that are no text. */
function printed(chance: Chance): Buffer {
  const { between, percent, pick } = chance
  const lines = Array.from({ length: between(0, 8) }, () => {
    const length = percent(85)
      ? between(0, 30)
      : pick([PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE - 1, between(0, 40_000)])
    return percent(20)
      ? Buffer.from(chance.bytes(between(0, 30)).filter((byte) => byte !== 10))
      : Buffer.alloc(length, pick(['x', '€', '{}']))
  })
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
}

/** What the engine sends: from the container as it came, from the log an entry a frame, without the newline after a line in pieces. */
function engineFrames(chance: Chance, from: 'container' | 'log', stream: Stream, bytes: Buffer): Buffer[] {
  if (from === 'container') return chance.pieces(bytes).map((piece) => frame(stream, piece))
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    const line = bytes.subarray(at, end)
    if (line.length + 1 <= PIECE) frames.push(frame(stream, bytes.subarray(at, end + 1)))
    else {
      for (let piece = 0; piece + PIECE <= line.length; piece += PIECE)
        frames.push(frame(stream, line.subarray(piece, piece + PIECE)))
      frames.push(frame(stream, line.subarray(line.length - (line.length % PIECE))))
    }
    at = end + 1
  }
  return frames
}

/** Two lists in one, each in its own order. */
function mixed<T>({ percent }: Chance, one: readonly T[], other: readonly T[]): T[] {
  const [left, right] = [[...one], [...other]]
  const all: T[] = []
  while (left.length + right.length > 0)
    all.push(...((percent(50) && left.length > 0) || right.length === 0 ? left : right).splice(0, 1))
  return all
}

function concat(parts: readonly Frames[], stream: Stream): Buffer {
  return Buffer.concat(parts.map((part) => part[stream]))
}

type Reader = typeof createFrameReader

function tryFrames(chance: Chance, createReader: Reader): void {
  const from = chance.pick(['container', 'log'] as const)
  const [out, error] = [printed(chance), printed(chance)]
  const frames = mixed(chance, engineFrames(chance, from, 'stdout', out), engineFrames(chance, from, 'stderr', error))
  const parts = chance.pieces(Buffer.concat(frames)).map(createReader(from))
  expect(concat(parts, 'stdout').equals(out)).toBe(true)
  expect(concat(parts, 'stderr').equals(error)).toBe(true)
}

/** Noise gets an {@link EngineFault} or is taken, and is never more than it was. */
function tryNoise(chance: Chance): void {
  const whole = Buffer.concat([frame('stdout', printed(chance)), frame('stderr', printed(chance))])
  const bytes = chance.percent(50) ? chance.damaged(whole) : chance.bytes(chance.between(0, 200))
  const reader = createFrameReader(chance.pick(['container', 'log'] as const))
  let read = 0
  try {
    for (const piece of chance.pieces(bytes)) {
      const { stdout, stderr } = reader(piece)
      read += stdout.length + stderr.length
    }
  } catch (fault) {
    expect(fault).toBeInstanceOf(EngineFault)
  }
  expect(read).toBeLessThanOrEqual(bytes.length)
}

const MOST = 40

/** The plain way to split, for whoever has all bytes at once. Of a line that is too long only counts that it was. */
function plainLines(bytes: Buffer): (string | null)[] {
  const lines: Buffer[] = []
  let at = 0
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
    lines.push(bytes.subarray(at, end))
    at = end + 1
  }
  const all = at < bytes.length ? [...lines, bytes.subarray(at)] : lines
  return all.map((line) => (line.length > MOST ? null : line.toString('utf8')))
}

function withoutRepeatedNulls(lines: readonly (string | null)[]): (string | null)[] {
  return lines.filter((line, index) => line !== null || lines[index - 1] !== null)
}

/** A container's output that is read again from its first byte, several times, each time cut off somewhere. */
async function tryLines(chance: Chance): Promise<void> {
  const bytes = chance.percent(20) ? chance.bytes(chance.between(0, 300)) : printed(chance)
  const source = (async function* () {
    yield* chance.pieces(bytes)
  })()
  const lines: (string | null)[] = []
  for await (const { text } of splitLines(source, MOST)) lines.push(text)
  expect(withoutRepeatedNulls(lines)).toEqual(withoutRepeatedNulls(plainLines(bytes)))
}

async function tryReadings(chance: Chance): Promise<void> {
  const bytes = printed(chance).subarray(0, 20_000)
  const output = createOutput()
  const read = (async () => {
    const lines: (string | null)[] = []
    for await (const { text } of output.lines) lines.push(text)
    return lines
  })()
  for (let reading = chance.between(1, 4); reading > 0; reading -= 1) {
    const { take, behind } = output.openReading()
    const end = reading === 1 ? bytes.length : chance.between(0, bytes.length)
    for (const piece of chance.pieces(bytes.subarray(0, end))) await take({ stdout: piece, stderr: Buffer.alloc(0) })
    if (reading === 1) expect(behind()).toBe(0)
  }
  output.end()
  const whole = bytes.toString('utf8').split('\n')
  expect(await read).toEqual(whole.at(-1) === '' ? whole.slice(0, -1) : whole)
}

it(
  'an engine’s frames and a sandbox’s lines are the same wherever they are cut, and noise is no more than noise',
  async () => {
    const tried = await fuzz(async (chance) => {
      tryFrames(chance, createFrameReader)
      tryNoise(chance)
      await tryLines(chance)
      if (chance.percent(20)) await tryReadings(chance)
    })
    expect(tried).toBeGreaterThan(20)
  },
  FUZZ_TIMEOUT_MS,
)

it(
  'finds a planted fault: a reader that forgets a header when it is cut in two',
  async () => {
    const planted: Reader = (from) => {
      const read = createFrameReader(from)
      return (piece) => read(piece.length < 8 && piece[0] === 2 ? Buffer.alloc(0) : piece)
    }
    await expect(fuzz((chance) => tryFrames(chance, planted), 30)).rejects.toThrow(
      /FUZZ_SEED=\d+ failed: (Error: .*expect\(|EngineFault)/s,
    )
  },
  FUZZ_TIMEOUT_MS,
)
