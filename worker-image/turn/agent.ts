import { cancelled } from '../../contract/wire/end.ts'
import { EXIT } from '../../contract/wire/sandbox.ts'
import { createDoor, type Door } from '../door/door.ts'
import { createVoice } from '../door/voice.ts'
import { watchRunner } from '../door/watch-runner.ts'
import { startForwarder } from '../hands/forwarder.ts'
import type { Hands } from '../hands/hands.ts'
import { reachHands } from '../hands/reach-hands.ts'
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
  const { signal } = cancel
  const secrets = [config.token]
  const log = createLog(secrets, (line) => process.stderr.write(line))
  const voice = createVoice({ output: process.stdout, secrets })
  try {
    const { door, doorUrl, hands } = await openSurroundings(config, { signal, patience: signal })
    const assignment = await door.assignment()
    await runTurn({ config, assignment, door, doorUrl, hands, voice, log, signal })
    await voice.flush()
    return EXIT.reported
  } catch (error) {
    log('agent.crashed', { stack: error instanceof Error ? error.stack : String(error) })
    return EXIT.crashed
  }
}

/** What a process of the agent works with. */
export type Surroundings = { door: Door; doorUrl: string; hands: Hands }

/**
 * Opens the way to the door and the way to the hands. The door's port is this process's own, so that nobody else can have taken it and see
 * the token. When the runner is gone for good, the process ends, and the sandbox with it.
 */
export async function openSurroundings(
  config: Config,
  waits: { signal?: AbortSignal; patience?: AbortSignal },
): Promise<Surroundings> {
  watchRunner({ socketPath: config.doorSocket, onGone: () => process.exit(EXIT.orphaned) })
  const { port } = await startForwarder(config.doorSocket, 0)
  const doorUrl = `http://127.0.0.1:${port}`
  const door = createDoor({ url: doorUrl, token: config.token, ...waits })
  const hands = await reachHands({ socketPath: config.handsSocket, startAgain: door.startHands })
  return { door, doorUrl, hands }
}
