import type { FileHandle } from 'node:fs/promises'
import { cleaned } from './output.ts'
import type { OnOutput } from './tool.ts'

/** How often new output is shown, and the most of it, bytes; the rest is passed over, because only its end is of interest. */
const EVERY_MS = 500
const MOST_BYTES = 2_048

/**
 * Shows what a running command adds to its output file, for the eye of a person: nothing of it is stored.
 * @returns a function that ends this
 */
export function showOutput(file: Pick<FileHandle, 'stat' | 'read'>, onOutput: OnOutput, everyMs = EVERY_MS): () => void {
  let shown = 0
  let busy = false
  let decoder = new TextDecoder()
  const look = async () => {
    const { size } = await file.stat()
    if (size <= shown) return
    const from = Math.max(shown, size - MOST_BYTES)
    const skips = from > shown
    if (skips) decoder = new TextDecoder()
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - from), position: from })
    shown = from + bytesRead
    const text = decoder.decode(buffer.subarray(0, bytesRead), { stream: true })
    // A jump may land in the middle of a character.
    const clean = cleaned(skips ? text.replace(/^\ufffd+/, '') : text)
    if (clean !== '') onOutput(clean)
  }
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    look()
      // The file is closed when the command has ended.
      .catch(() => clearInterval(timer))
      .finally(() => {
        busy = false
      })
  }, everyMs)
  return () => clearInterval(timer)
}
