import { SAVE } from '../../contract/wire/deadlines.ts'
import { cancelled, type End, failed } from '../../contract/wire/end.ts'
import { EXIT } from '../../contract/wire/sandbox.ts'
import { createVoice } from '../door/voice.ts'
import type { Config } from '../process/config.ts'
import { createLog } from '../process/log.ts'
import { openSurroundings } from '../turn/agent.ts'
import { finishAbandonedTurn } from '../turn/finish-turn.ts'

/**
 * Finishes the turn of an agent that died before it could. SIGTERM leaves no time to wait for a coordinator that is away.
 * @param code how the agent ended, as a shell tells it: 128 and the number of the signal that killed it, or its exit code
 * @param wasStopped whether the sandbox was already being stopped
 * @returns the exit code; when the gateway does not answer either, it alone tells that something went wrong
 */
export async function rescue(config: Config, code: number, wasStopped: boolean): Promise<number> {
  const stopped = new AbortController()
  process.on('SIGTERM', () => stopped.abort())
  if (wasStopped) stopped.abort()
  const { signal } = stopped
  const end = endAfterCrash(code, wasStopped)
  const secrets = [config.token]
  const log = createLog(secrets, (line) => process.stderr.write(line))
  const voice = createVoice({ output: process.stdout, secrets })
  try {
    const { door, hands } = await openSurroundings(config, { patience: signal })
    // First of all: a command or a git call that the agent left running could change the work while it is saved.
    log('processes.ended', { count: await hands.call('endProcesses', {}) })
    const assignment = await door.assignment()
    await finishAbandonedTurn({ config, assignment, door, hands, voice, log, end, pushMs: SAVE.rescuePushMs, signal })
    await voice.flush()
    return EXIT.reported
  } catch (error) {
    log('rescue.failed', { stack: error instanceof Error ? error.stack : String(error) })
    return EXIT.crashed
  }
}

const SIGKILL = 9

/** Pure. */
function endAfterCrash(code: number, wasStopped: boolean): End {
  if (wasStopped) return cancelled()
  const how = code > 128 ? `was killed by signal ${code - 128}` : `ended with code ${code}`
  // Only the kernel can send it to the agent, when memory runs out: commands run as another user.
  return failed(code === 128 + SIGKILL ? 'out_of_memory' : 'sandbox_crashed', `The agent's process ${how}.`)
}
