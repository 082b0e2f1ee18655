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

/** What an agent's own tools wrote, for the look before the hand-over. Paths are absolute, or relative to the work tree. */
export type TouchedFiles = {
  written: string[]
  /** Those that were written after the last command. */
  untested: string[]
}

/** How the work ended, and the agent's last words about it. `touched` is absent if the agent does not know. */
export type AgentResult = { end: End; summary: string; touched?: TouchedFiles }
