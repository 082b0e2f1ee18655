import type { EventData } from '../../contract/api/event.ts'
import type { Lease } from '../../contract/wire/lease.ts'
import type { Pushed } from '../patch/make-patches.ts'

/** What the git host accepted of a task, as the gateways saw it: this attempt's pushes, and earlier ones'. */
export type Pushes = {
  /** The host accepted a push. */
  note: (push: EventData<'branch.pushed'>) => void
  /** Whether this attempt pushed to the task's branch. */
  inAttempt: () => boolean
  /** Whether anything was pushed at all, to the task's branch or beside it. */
  any: () => boolean
  /**
   * The newest push of the turn to the task's branch, by this attempt or an earlier one. If there is none, the newest push beside it by this
   * attempt: the branch had moved, or the work was elsewhere. Null: the turn pushed nothing.
   */
  ofTurn: () => Pushed | null
}

/** @param before what an earlier process noted in the same attempt */
export function createPushes(
  { assignment, pushed: earlier }: Pick<Lease, 'assignment' | 'pushed'>,
  before: readonly EventData<'branch.pushed'>[] = [],
): Pushes {
  let ofTurn: Pushed | null = earlier?.inTurn ? { commit: earlier.commit, turnBase: earlier.turnBase } : null
  let beside: Pushed | null = null
  let inAttempt = false
  const note: Pushes['note'] = ({ branch, commit, before = null }) => {
    if (branch !== assignment.branch) {
      beside = { commit, turnBase: earlier?.commit ?? null }
      return
    }
    inAttempt = true
    ofTurn = { commit, turnBase: ofTurn ? ofTurn.turnBase : before }
  }
  for (const push of before) note(push)
  return {
    note,
    inAttempt: () => inAttempt,
    any: () => inAttempt || beside !== null || earlier !== null,
    ofTurn: () => ofTurn ?? beside,
  }
}
