import type { FileHandle } from 'node:fs/promises'

/** @returns a file's text; of one above `wholeBytes` its first and its last part, with a line between them that tells what is missing */
export const readEnds = async (file: FileHandle, size: number, wholeBytes: number): Promise<string> => {
  if (size <= wholeBytes) return readPart(file, 0, size)
  const headBytes = Math.floor(wholeBytes / 4)
  const tailBytes = wholeBytes - headBytes
  const head = await readPart(file, 0, headBytes)
  const tail = await readPart(file, size - tailBytes, tailBytes)
  return `${head}\n[… ${size - wholeBytes} bytes elided …]\n${tail}`
}

const readPart = async (file: FileHandle, position: number, bytes: number): Promise<string> => {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(bytes), position })
  return buffer.toString('utf8', 0, bytesRead)
}
