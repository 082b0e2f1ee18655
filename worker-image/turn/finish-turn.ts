import { LIMITS } from '../../contract/api/limits.ts'
import type { End } from '../../contract/wire/end.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { TouchedFiles } from '../agents/agent-driver.ts'
import { storeConversation } from '../conversation/stored-transcript.ts'
import type { Door } from '../door/door.ts'
import type { Voice } from '../door/voice.ts'
import { gitOf, type Hands, readPieces } from '../hands/hands.ts'
import type { InputOf } from '../hands/protocol.ts'
import type { Config } from '../process/config.ts'
import type { Log } from '../process/log.ts'
import { type SavedWork, saveWork } from '../workspace/save-work.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { storedWorkspace } from './stored-workspace.ts'
import { commitMessage, finalEnd } from './verdict.ts'

type Finish = {
  config: Config
  assignment: Assignment
  door: Door
  hands: Hands
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
 * safe. The agent's process calls it, or the rescue if that process died first.
 */
export async function finishTurn(finish: Finish): Promise<void> {
  const { config, assignment, door, hands, voice, log, end, summary, touched, workspace, pushMs, signal } = finish
  const saved = workspace
    ? await saveWork({
        git: gitOf(hands),
        ...(touched ? { touched } : {}),
        outside: gitOf(hands, 'outside'),
        restore: () => hands.call('restoreRepository', { workspace }),
        commit: (seen, message) => hands.call('commitWork', { workspace, ...seen, message }),
        ready: (findings) => hands.call('readyWork', { workspace, findings: [...findings] }),
        bundle: (refs, without) => readBundle(hands, [...refs], without),
        remote: config.remote,
        door,
        workspace,
        message: commitMessage(summary, assignment.prompt, end),
        timeoutMs: pushMs,
        signal,
        log,
      })
    : NO_WORK
  await storeConversation({ door, home: config.home, end, tip: saved.tip, handover: saved.note, log })
  const { turn } = assignment
  voice.emit({ type: 'turn.ended', data: { turn, ...finalEnd(end, saved), summary, diff: saved.diff } })
}

/** As {@link finishTurn}, for an agent that died: with the workspace that it kept in its own folder. */
export async function finishAbandonedTurn(finish: Omit<Finish, 'summary' | 'workspace'>): Promise<void> {
  const { config, log, end } = finish
  const workspace = await storedWorkspace(config.home)
  log('rescue.started', { reason: end.reason, workspace: workspace !== null })
  await finishTurn({ ...finish, summary: '', workspace })
}

async function readBundle(hands: Hands, refs: InputOf<'makeBundle'>['refs'], without: string | null): Promise<Buffer> {
  const { bytes } = await hands.call('makeBundle', { refs, without })
  if (bytes > LIMITS.artifactBytes) throw new Error(`it has ${bytes} bytes; at most ${LIMITS.artifactBytes} can be stored`)
  return readPieces(hands, 'work', LIMITS.artifactBytes)
}
