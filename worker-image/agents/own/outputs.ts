import { LIMITS } from '../../../contract/api/limits.ts'
import type { Door } from '../../door/door.ts'
import type { Hands } from '../../hands/hands.ts'
import { type Log, redacted } from '../../process/log.ts'
import { endsOf } from '../../tools/read-ends.ts'
import type { ToolResult } from '../../tools/tool.ts'

/** Stores the whole output of a call if people see only a part of it. Never throws: they still see that part. */
export type StoreOutput = (callId: string, result: ToolResult) => Promise<void>

/** The most that a line about a gap takes, bytes. */
const GAP_BYTES = 200

export function createStoreOutput(parts: {
  door: Pick<Door, 'store'>
  hands: Pick<Hands, 'call'>
  secrets: readonly string[]
  log: Log
}): StoreOutput {
  const { door, hands, secrets, log } = parts
  let stored = 0
  return async (callId, result) => {
    if (!isCut(result) || stored >= LIMITS.outputsPerAttempt || !/^[A-Za-z0-9_-]{1,100}$/.test(callId)) return
    stored += 1
    try {
      const whole = await wholeOf(hands, result)
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

async function wholeOf(hands: Pick<Hands, 'call'>, { text, output = text, wholeFile }: ToolResult): Promise<string> {
  return wholeFile === undefined ? output : hands.call('wholeOutput', { file: wholeFile })
}
