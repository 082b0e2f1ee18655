import type { End } from '../../contract/wire/end.ts'
import type { Assignment } from '../../contract/wire/sandbox.ts'
import type { Voice } from '../door/voice.ts'
import type { Workspace } from '../workspace/workspace.ts'

/**
 * Any program that does the work of one turn in a repository that is already checked out. It commits and pushes nothing. The turn saves
 * whatever is in the workspace when it returns, so it must leave no process running that could still change a file.
 */
export type AgentDriver = {
  /**
   * Emits `text.written`, `tool.started`, `tool.ended` and `context.compacted` on the way. Never throws: a fault of its own is an end too.
   * @param signal aborts with an End when a person cancels or the time is up
   */
  run: (assignment: Assignment, workspace: Workspace, voice: Voice, signal: AbortSignal) => Promise<AgentResult>
}

/** How the work ended, and the agent's last words about it. */
export type AgentResult = {
  end: End
  summary: string
  /** Paths that its tools wrote, and those among them that were written after its last command; absent if it does not know. */
  touched?: { written: string[]; untested: string[] }
}
