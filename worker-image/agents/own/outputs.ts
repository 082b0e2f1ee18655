import { open } from 'node:fs/promises'
import { LIMITS } from '../../../contract/api/limits.ts'
import type { Door } from '../../door/door.ts'
import { type Log, redacted } from '../../process/log.ts'
import { cleaned } from '../../tools/output.ts'
import { endsOf, readEnds } from '../../tools/read-ends.ts'
import type { ToolResult } from '../../tools/tool.ts'

/** Stores the whole output of a call if people see only a part of it. Never throws: they still see that part. */
export type StoreOutput = (callId: string, result: ToolResult) => Promise<void>

/** The most that a line about a gap takes, bytes. There can be one in the file, and one in the text made of it. */
const GAP_BYTES = 200

export function createStoreOutput(parts: { door: Pick<Door, 'store'>; secrets: readonly string[]; log: Log }): StoreOutput {
  const { door, secrets, log } = parts
  let stored = 0
  return async (callId, result) => {
    if (!isCut(result) || stored >= LIMITS.outputsPerAttempt || !/^[A-Za-z0-9_-]{1,100}$/.test(callId)) return
    stored += 1
    try {
      const whole = await wholeOf(result)
      // Bytes that are not text, and cut-out secrets, are now longer than in the file.
      const safe = redacted(whole, secrets)
      await door.store(`output.${callId}`, endsOf(Buffer.from(safe), LIMITS.outputBytes - GAP_BYTES))
    } catch (error) {
      log('output.lost', { callId, message: String(error) })
    }
  }
}

function isCut({ text, output = text, outputBytes = 0 }: ToolResult): boolean {
  return output.length > LIMITS.toolOutputChars || outputBytes > Buffer.byteLength(output)
}

async function wholeOf({ text, output = text, wholeFile }: ToolResult): Promise<string> {
  if (wholeFile === undefined) return output
  const file = await open(wholeFile)
  try {
    return cleaned(await readEnds(file, (await file.stat()).size, LIMITS.outputBytes - 2 * GAP_BYTES))
  } finally {
    await file.close()
  }
}
