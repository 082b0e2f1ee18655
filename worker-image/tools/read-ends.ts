import type { FileHandle } from 'node:fs/promises'

/** @returns the text of a file; above `wholeBytes` only its first and last part, with a line between them about the gap */
export async function readEnds(file: FileHandle, size: number, wholeBytes: number): Promise<string> {
  if (size <= wholeBytes) return readPart(file, 0, size)
  const { headBytes, tailBytes } = partsOf(wholeBytes)
  const head = await readPart(file, 0, headBytes)
  const tail = await readPart(file, size - tailBytes, tailBytes)
  return `${head}${gap(size - wholeBytes)}${tail}`
}

/** Like {@link readEnds}, for bytes in memory; the line about the gap comes on top of `wholeBytes`. */
export function endsOf(bytes: Buffer, wholeBytes: number): Buffer {
  if (bytes.length <= wholeBytes) return bytes
  const { headBytes, tailBytes } = partsOf(wholeBytes)
  const missing = Buffer.from(gap(bytes.length - wholeBytes))
  return Buffer.concat([bytes.subarray(0, headBytes), missing, bytes.subarray(bytes.length - tailBytes)])
}

function partsOf(wholeBytes: number): { headBytes: number; tailBytes: number } {
  const headBytes = Math.floor(wholeBytes / 4)
  return { headBytes, tailBytes: wholeBytes - headBytes }
}

function gap(bytes: number): string {
  return `\n[… ${bytes} bytes elided …]\n`
}

async function readPart(file: FileHandle, position: number, bytes: number): Promise<string> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(bytes), position })
  return buffer.toString('utf8', 0, bytesRead)
}
