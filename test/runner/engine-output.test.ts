import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { standardOutput } from '../../runner/engine-output.ts'

const FRAMES = Buffer.from([
  ...[1, 0, 0, 0, 0, 0, 0, 3, ...Buffer.from('one')],
  ...[2, 0, 0, 0, 0, 0, 0, 5, ...Buffer.from('error')],
  ...[1, 0, 0, 0, 0, 0, 0, 0],
  ...[1, 0, 0, 0, 0, 0, 1, 2, ...Buffer.from('x'.repeat(258))],
])

const read = async (pieces: readonly Buffer[]) => {
  let errors = ''
  const sink = standardOutput((bytes) => {
    errors += bytes
  })
  return [await text(Readable.from(pieces).pipe(sink)), errors]
}

describe("an engine's output", () => {
  it('is the same wherever it is cut', async () => {
    for (let size = 1; size <= FRAMES.length; size++) {
      const pieces = Array.from({ length: Math.ceil(FRAMES.length / size) }, (_, n) => FRAMES.subarray(n * size, (n + 1) * size))
      expect(await read(pieces)).toEqual([`one${'x'.repeat(258)}`, 'error'])
    }
  })

  it('fails when it is in no frame', async () => {
    await expect(read([Buffer.from('plain text, as of a terminal')])).rejects.toThrow('no frame')
  })
})
