import { describe, expect, it } from '@jest/globals'
import { createFrameReader, splitLines } from '../../../runner/sandbox/output.ts'

async function linesOf(chunks: (string | Buffer)[], maxBytes?: number) {
  const source = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
  })()
  const lines: (string | null)[] = []
  for await (const { text } of splitLines(source, maxBytes)) lines.push(text)
  return lines
}

describe('splitting output into lines', () => {
  it('joins what chunks cut, also inside a character', async () => {
    const euro = Buffer.from('€\n')
    expect(await linesOf(['a', 'b\nc\n', euro.subarray(0, 1), euro.subarray(1), 'tail'])).toEqual(['ab', 'c', '€', 'tail'])
  })

  it('tells of a line without an end again and again', async () => {
    expect(await linesOf(['1234567', '1234567', '1234567', '1\nok'], 5)).toEqual([null, null, null, 'ok'])
  })

  it('drops a line over the bound, and only that', async () => {
    expect(await linesOf(['123', '456\nok\n', '123456'], 5)).toEqual([null, 'ok', null])
    expect(await linesOf(['12345\n'], 5)).toEqual(['12345'])
  })

  it('holds no more than the bound of an endless line', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const before = process.memoryUsage().arrayBuffers
    const endless = (async function* () {
      for (let i = 0; i < 300; i += 1) yield chunk
    })()
    for await (const { text } of splitLines(endless)) expect(text).toBeNull()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024)
  })
})

function frame(stream: number, content: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(content.length, 4)
  return Buffer.concat([header, Buffer.from(content)])
}
const FRAMES = Buffer.concat([frame(1, 'one'), frame(2, 'error'), frame(1, ''), frame(1, 'x'.repeat(258))])

function read(from: 'container' | 'log', pieces: readonly Buffer[]) {
  const unframe = createFrameReader(from)
  const output = pieces.map(unframe)
  return (['stdout', 'stderr'] as const).map((stream) => Buffer.concat(output.map((one) => one[stream])).toString())
}

describe("an engine's output", () => {
  it('is the same wherever it is cut', () => {
    for (let size = 1; size <= FRAMES.length; size++) {
      const pieces = Array.from({ length: Math.ceil(FRAMES.length / size) }, (_, n) => FRAMES.subarray(n * size, (n + 1) * size))
      expect(read('container', pieces)).toEqual([`one${'x'.repeat(258)}`, 'error'])
    }
  })

  it('fails when it is in no frame', () => {
    expect(() => read('container', [Buffer.from('plain text, as of a terminal')])).toThrow('no frame')
  })

  it('gets back the newlines that the log leaves out, and no others', () => {
    const piece = 'p'.repeat(16 * 1024)
    // A line of just two pieces; one of a piece and a bit, with one of standard error between; one that is short; an end without a newline.
    const entries = [
      [1, piece],
      [1, piece],
      [1, ''],
      [1, piece],
      [2, 'error\n'],
      [1, 'bit'],
      [1, 'short\n'],
      [1, ''],
      [1, 'end'],
    ] as const
    const frames = Buffer.concat(entries.map(([stream, content]) => frame(stream, content)))
    const whole = `${piece}${piece}\n${piece}bit\nshort\nend`
    expect(read('log', [frames])).toEqual([whole, 'error\n'])
    expect(
      read(
        'log',
        [...frames].map((byte) => Buffer.from([byte])),
      ),
    ).toEqual([whole, 'error\n'])
    // As later engines keep it.
    expect(read('log', [frame(1, piece), frame(1, 'bit\n'), frame(1, 'next\n')])).toEqual([`${piece}bit\nnext\n`, ''])
  })
})
