import { open } from 'node:fs/promises'
import { LIMITS } from '../../../contract/api/limits.ts'
import type { Door } from '../../door/door.ts'
import type { Log } from '../../process/log.ts'
import { cleaned } from '../../tools/output.ts'
import { endsOf, readEnds } from '../../tools/read-ends.ts'
import type { ToolResult } from '../../tools/tool.ts'

/** Keeps the whole output of a call of which people are shown a part. Never throws: without it there is still that part. */
export type KeepOutput = (callId: string, result: ToolResult) => Promise<void>

/** What the line about a gap may come to, bytes. There can be one of the file, and one of the text made of it. */
const GAP_BYTES = 200

export function createKeepOutput(parts: { door: Pick<Door, 'keep'>; secrets: readonly string[]; log: Log }): KeepOutput {
  const { door, secrets, log } = parts
  let kept = 0
  return async (callId, result) => {
    if (!isCut(result) || kept >= LIMITS.outputsPerAttempt || !/^[A-Za-z0-9_-]{1,100}$/.test(callId)) return
    kept += 1
    try {
      const whole = await wholeOf(result)
      const safe = secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), whole)
      // What is no text, and what was secret, is longer by now than it was in the file.
      await door.keep(`output.${callId}`, endsOf(Buffer.from(safe), LIMITS.outputBytes - GAP_BYTES))
    } catch (error) {
      log('output.lost', { callId, message: String(error) })
    }
  }
}

function isCut({ text, outputBytes = 0 }: ToolResult): boolean {
  return text.length > LIMITS.toolOutputChars || outputBytes > Buffer.byteLength(text)
}

async function wholeOf({ text, wholeFile }: ToolResult): Promise<string> {
  if (wholeFile === undefined) return text
  const file = await open(wholeFile)
  try {
    return cleaned(await readEnds(file, (await file.stat()).size, LIMITS.outputBytes - 2 * GAP_BYTES))
  } finally {
    await file.close()
  }
}
