import { DOOR_PATHS } from '../../contract/wire/names.ts'
import { keepJournal } from '../conversation/journal.ts'
import { createDoor } from '../door/door.ts'
import { createVoice } from '../door/voice.ts'
import type { Config } from '../process/config.ts'
import type { End } from '../process/end.ts'
import { createLog } from '../process/log.ts'
import { sweep } from '../process/processes.ts'
import { commitMessage, finalEnd } from '../turn/verdict.ts'
import { deliver } from '../workspace/deliver-work.ts'
import { createGit, OUTSIDE } from '../workspace/git.ts'
import { reopenWorkspace } from '../workspace/workspace.ts'

const PUSH_MS = 8_000

/**
 * In the agent's place, when it died without having said an end: delivers what lies in the workspace, and says it.
 * @param stopped aborts when the sandbox is being stopped, which leaves no time to wait for a coordinator that is away
 * @throws Error when the gateway does not answer either; then only the exit code is left to tell
 */
export async function rescue(config: Config, end: End, stopped: AbortSignal): Promise<void> {
  const secrets = [config.token]
  const log = createLog(secrets, (line) => process.stderr.write(line))
  // First of all: a command, or a git of the agent's, would go on changing what is delivered.
  log('processes.ended', { count: await sweep(config.run) })
  const voice = createVoice({ output: process.stdout, secrets })
  const door = createDoor({ url: config.doorUrl, token: config.token, patience: stopped })
  const { turn, branch, prompt } = await door.assignment()
  const access = { authorization: `Bearer ${config.token}`, path: config.inherited.PATH ?? '/usr/bin:/bin', run: config.run }
  const git = createGit({ directory: config.workspace, ...access })
  const outside = createGit({ directory: OUTSIDE, ...access })
  const remote = `${config.doorUrl}${DOOR_PATHS.git}`
  const workspace = await reopenWorkspace(git, branch)
  log('rescue.started', { reason: end.reason, workspace: workspace !== null })
  const message = commitMessage('', prompt, end)
  const delivery = workspace
    ? await deliver({
        ...{ git, outside, remote, door, workspace, message, log },
        ...{ scratch: config.scratch, timeoutMs: PUSH_MS, signal: stopped },
      })
    : { diff: null, changed: false, tip: null, problem: null, note: null }
  await keepJournal({ door, scratch: config.scratch, end, tip: delivery.tip, log })
  voice.say({ type: 'turn.ended', data: { turn, ...finalEnd(end, delivery), summary: '', diff: delivery.diff } })
  await voice.flush()
}
