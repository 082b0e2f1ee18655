import type { End } from '../../contract/wire/end.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { TouchedFiles } from '../agents/agent-driver.ts'
import { storeConversation } from '../conversation/stored-transcript.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import type { Config } from '../process/config.ts'
import type { Log } from '../process/log.ts'
import { gitIn, OUTSIDE, remoteOf } from '../workspace/git.ts'
import { type SavedWork, saveWork } from '../workspace/save-work.ts'
import { reopenWorkspace, type Workspace } from '../workspace/workspace.ts'
import { commitMessage, finalEnd } from './verdict.ts'

type Finish = {
  config: Config
  assignment: Assignment
  door: Door
  voice: Voice
  log: Log
  /** How the work ended. */
  end: End
  /** The model's last words. */
  summary: string
  touched?: TouchedFiles
  /** Null when no repository was checked out. */
  workspace: Workspace | null
  /** For all pushes together. */
  pushMs: number
  /** Aborts when the sandbox is being stopped: then nothing waits for an absent coordinator. */
  signal: AbortSignal
}

const NO_WORK: SavedWork = { diff: null, changed: false, tip: null, problem: null, unfinished: null, note: null }

/**
 * Ends a turn, however its work ended: saves the work, then the conversation, then emits `turn.ended`, which reports whether the work is
 * safe. The agent's process calls it, or the supervisor if that process died first.
 */
export async function finishTurn(finish: Finish): Promise<void> {
  const { config, assignment, door, voice, log, end, summary, touched, workspace, pushMs, signal } = finish
  const saved = workspace
    ? await saveWork({
        git: gitIn(config.workspace, config),
        directory: config.workspace,
        ...(touched ? { touched } : {}),
        outside: gitIn(OUTSIDE, config),
        remote: remoteOf(config),
        door,
        workspace,
        message: commitMessage(summary, assignment.prompt, end),
        scratch: config.scratch,
        timeoutMs: pushMs,
        signal,
        log,
      })
    : NO_WORK
  await storeConversation({ door, scratch: config.scratch, end, tip: saved.tip, handover: saved.note, log })
  const { turn } = assignment
  voice.emit({ type: 'turn.ended', data: { turn, ...finalEnd(end, saved), summary, diff: saved.diff } })
}

/** As {@link finishTurn}, for an agent that died: finds the workspace that it left on disk. */
export async function finishAbandonedTurn(finish: Omit<Finish, 'summary' | 'workspace'>): Promise<void> {
  const { config, assignment, log, end } = finish
  const workspace = await reopenWorkspace(gitIn(config.workspace, config), assignment.branch)
  log('rescue.started', { reason: end.reason, workspace: workspace !== null })
  await finishTurn({ ...finish, summary: '', workspace })
}
