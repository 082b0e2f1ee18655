import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { LIMITS } from '../../contract/api/limits.ts'
import type { Context } from '../server/context.ts'
import { EXIT, Fault } from '../server/faults.ts'

/** The option of every command that takes a text. */
export const TEXT_OPTIONS = { file: { type: 'string' } } as const

/** A character takes up to four bytes in UTF-8, so more bytes than this always exceed the limit on characters. */
const MAX_BYTES = 4 * LIMITS.promptChars

/**
 * The text for a command: the words themselves, standard input for `-`, or a file (`--file PATH`).
 * @throws Fault that says what to do if the text cannot be read, is too long or is not UTF-8
 */
export async function readText(words: string | undefined, file: string | undefined, context: Context): Promise<string> {
  if (words !== undefined && file !== undefined)
    throw new Fault(EXIT.refused, 'Give the text on the command line or with --file, not both.')
  if (words === '-' || file === '-') return readInput(context)
  if (file === undefined) return words ?? ''
  const path = resolve(context.cwd, file)
  return decode(await readBounded(createReadStream(path), path), path)
}

async function readInput({ stdin, stderr, interrupted }: Context): Promise<string> {
  if (stdin.isTTY) stderr.write('Type the text, then press Enter and Ctrl-D.\n')
  return decode(await readBounded(addAbortSignal(interrupted, stdin), 'standard input'), 'Standard input')
}

async function readBounded(stream: Readable, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk))
      bytes += chunks.at(-1)?.length ?? 0
      if (bytes > MAX_BYTES) break
    }
  } catch (error) {
    throw new Fault(EXIT.refused, `${name} could not be read: ${(error as Error).message}`, { cause: error })
  }
  if (bytes <= MAX_BYTES) return Buffer.concat(chunks)
  throw new Fault(
    EXIT.refused,
    `${name} is too long: at most ${LIMITS.promptChars.toLocaleString('en-US')} characters. Put the rest in a file in the repository.`,
  )
}

/** Without the newline that editors and `echo` put at the end. */
function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trimEnd()
  } catch (error) {
    throw new Fault(EXIT.refused, `${name} is not UTF-8 text. Convert it first, for example with iconv.`, { cause: error })
  }
}
