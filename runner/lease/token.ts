import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'

const LOOK_EVERY_MS = 200
const WAIT_MS = 60_000

/**
 * The runner token: given, or in a file that the coordinator writes at its own first start, which may be a little later than ours.
 * @throws Error with what to do when the file does not appear
 */
export async function findToken(options: { token: string | null; tokenFile: string | null; log: Logger; waitMs?: number }) {
  const { token, tokenFile, log, waitMs = WAIT_MS } = options
  if (token) return token
  const deadline = performance.now() + waitMs
  for (let told = false; performance.now() < deadline; told = true) {
    const found = tokenFile && (await readFile(tokenFile, 'utf8').catch(() => '')).trim()
    if (found) return found
    if (!told) log.info({ event: 'token.awaited', file: tokenFile })
    await pause(LOOK_EVERY_MS)
  }
  throw new Error(
    `There is no runner token in ${tokenFile}. Start the coordinator, or set RUNNER_TOKEN to the token that it has.`,
  )
}
