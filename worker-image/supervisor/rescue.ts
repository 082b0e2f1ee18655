import { SAVE } from '../../contract/wire/deadlines.ts'
import { cancelled, type End, failed } from '../../contract/wire/end.ts'
import { createDoor } from '../door/door.ts'
import { createVoice } from '../door/voice.ts'
import type { Config } from '../process/config.ts'
import { createLog } from '../process/log.ts'
import { sweep } from '../process/processes.ts'
import { finishAbandonedTurn } from '../turn/finish-turn.ts'
import type { Exit } from './supervisor.ts'

/**
 * Finishes the turn of an agent that died before it could.
 * @param stopped aborts when the sandbox is being stopped, which leaves no time to wait for a coordinator that is away
 * @throws Error when the gateway does not answer either; then the exit code alone tells that something went wrong
 */
export async function rescue(config: Config, exit: Exit, stopped: AbortSignal): Promise<void> {
  const end = endAfterCrash(exit, stopped.aborted)
  const secrets = [config.token]
  const log = createLog(secrets, (line) => process.stderr.write(line))
  // First of all: a command or a git call that the agent left running could change the work while it is saved.
  log('processes.ended', { count: await sweep(config.run) })
  const voice = createVoice({ output: process.stdout, secrets })
  const door = createDoor({ url: config.doorUrl, token: config.token, patience: stopped })
  const assignment = await door.assignment()
  await finishAbandonedTurn({ config, assignment, door, voice, log, end, pushMs: SAVE.rescuePushMs, signal: stopped })
  await voice.flush()
}

/** Pure. @param stopped whether the sandbox was already being stopped */
function endAfterCrash({ code, signal }: Exit, stopped: boolean): End {
  if (stopped) return cancelled()
  const how = signal ? `was killed by ${signal}` : `ended with code ${code}`
  // Inside the sandbox only the kernel sends SIGKILL, when memory runs out.
  return failed(signal === 'SIGKILL' ? 'out_of_memory' : 'sandbox_crashed', `The agent's process ${how}.`)
}
