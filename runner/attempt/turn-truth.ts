import type { DiffStat, EventData } from '../../contract/api/event.ts'
import { cutText } from '../../contract/shared/characters.ts'
import type { StopCause } from './attempt-end.ts'

/** The end of the turn as the sandbox reported it, and why it was being stopped at that moment. It waits until the sandbox has ended. */
export type ReportedEnd = { data: EventData<'turn.ended'>; stop: StopCause | null }

/**
 * What this process knows of a turn's change. `read`: its commit was read from the git host. `unread`: it was pushed, but could not be read.
 * `unasked`: there was no reason, or no time, to look. `nothing`: the turn pushed nothing; `earlier`: turns before it did.
 */
export type Seen =
  | { what: 'read'; commit: string; diff: DiffStat }
  | { what: 'unread' }
  | { what: 'unasked' }
  | { what: 'nothing'; earlier: boolean }

export const UNREAD =
  "Errand could not read the pushed commit from the git host, so there is no patch of this turn, and the size of the change is the agent's own account. The work is on the branch."

const NO_CHANGE: DiffStat = { files: 0, insertions: 0, deletions: 0 }

/**
 * Pure. The end of a turn with what this process saw in the place of what the sandbox said. What was delivered is what the git host took: a
 * change that is said to be done and never came there is none.
 */
export function turnTruth(reported: EventData<'turn.ended'>, seen: Seen): EventData<'turn.ended'> {
  const own = { ...reported, commit: null }
  switch (seen.what) {
    case 'read':
      return { ...reported, diff: seen.diff, commit: seen.commit }
    case 'unread':
      return { ...own, message: cutText([reported.message, UNREAD].filter(Boolean).join(' '), MESSAGE_CHARS) }
    case 'unasked':
      return own
    default:
      return reported.outcome === 'completed' ? withoutPush(own, seen.earlier) : own
  }
}
/** The contract's bound. */
const MESSAGE_CHARS = 2000

function withoutPush(own: EventData<'turn.ended'>, earlier: boolean): EventData<'turn.ended'> {
  // The agent's numbers are those of the whole branch, so after earlier pushes they claim nothing about this turn.
  if (earlier) return { ...own, diff: null }
  const claims = own.diff !== null && own.diff.files > 0
  return claims ? { ...own, outcome: 'failed', reason: 'nothing_pushed', message: null, diff: null } : { ...own, diff: NO_CHANGE }
}
