import { cancelled } from '../../contract/wire/end.ts'
import { EXIT } from '../../contract/wire/sandbox.ts'
import { createDoor } from '../door/door.ts'
import { createVoice } from '../door/voice.ts'
import type { Config } from '../process/config.ts'
import { createLog } from '../process/log.ts'
import { runTurn } from './run-turn.ts'

/**
 * The agent's process. SIGTERM cancels the turn: it saves the work and emits the end before it exits.
 * @returns its exit code; {@link EXIT.reported} when the end was emitted
 */
export async function runAgent(config: Config): Promise<number> {
  const cancel = new AbortController()
  process.on('SIGTERM', () => cancel.abort(cancelled()))
  const secrets = [config.token]
  const log = createLog(secrets, (line) => process.stderr.write(line))
  const voice = createVoice({ output: process.stdout, secrets })
  try {
    const door = createDoor({ url: config.doorUrl, token: config.token, signal: cancel.signal, patience: cancel.signal })
    const assignment = await door.assignment()
    await runTurn({ config, assignment, door, voice, log, signal: cancel.signal })
    await voice.flush()
    return EXIT.reported
  } catch (error) {
    log('agent.crashed', { stack: error instanceof Error ? error.stack : String(error) })
    return EXIT.crashed
  }
}
