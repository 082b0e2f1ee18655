import { describe, expect, it } from '@jest/globals'
import type { EventData } from '../../../contract/api/event.ts'
import { createPushes } from '../../../runner/attempt/pushes.ts'
import { turnTruth } from '../../../runner/attempt/turn-truth.ts'
import { leaseOf } from '../../support/scripted/scripted-coordinator.ts'

const claimed = { files: 9, insertions: 99, deletions: 0 }
const done: EventData<'turn.ended'> = {
  turn: 1,
  outcome: 'completed',
  reason: 'done',
  summary: 's',
  message: null,
  diff: claimed,
}
const none = { files: 0, insertions: 0, deletions: 0 }

describe('the end of a turn', () => {
  it('has the numbers of what was read from the git host, whatever was reported', () => {
    const diff = { files: 1, insertions: 2, deletions: 3 }
    expect(turnTruth({ ...done, commit: 'forged' }, { what: 'read', commit: 'c', diff })).toEqual({ ...done, diff, commit: 'c' })
  })

  it('says whose numbers they are when the commit could not be read', () => {
    const { message, ...rest } = turnTruth({ ...done, message: 'A note.', commit: 'forged' }, { what: 'unread' })
    expect(rest).toMatchObject({ outcome: 'completed', diff: claimed, commit: null })
    expect(message).toMatch(/^A note\. Errand could not read .* the agent's own account\./)
  })

  it('is no delivered work when a change is said to be done and nothing was ever pushed', () => {
    const never = { what: 'nothing', earlier: false } as const
    expect(turnTruth(done, never)).toMatchObject({ outcome: 'failed', reason: 'nothing_pushed', diff: null, commit: null })
    expect(turnTruth({ ...done, diff: null }, never)).toMatchObject({ outcome: 'completed', reason: 'done', diff: none })
    expect(turnTruth({ ...done, reason: 'no_changes', diff: none }, never)).toMatchObject({ reason: 'no_changes', diff: none })
  })

  it('claims no change of its own after earlier turns pushed, if it pushed nothing itself', () => {
    expect(turnTruth(done, { what: 'nothing', earlier: true })).toMatchObject({ outcome: 'completed', diff: null, commit: null })
  })

  it("has the agent's own account of work that was not pushed, marked so", () => {
    const refused = { ...done, outcome: 'failed', reason: 'push_refused' } as const
    expect(turnTruth(refused, { what: 'nothing', earlier: false })).toEqual({ ...refused, commit: null })
  })
})

describe('what was pushed', () => {
  const push = (commit: string, before: string | null, branch = 'errand/t1/work') => ({ branch, commit, before })

  it('in a turn begins where its first push began, and ends with its last', () => {
    const pushes = createPushes(leaseOf('t1', 1))
    expect([pushes.ofTurn(), pushes.any(), pushes.inAttempt()]).toEqual([null, false, false])
    pushes.note(push('x', null, 'errand/t1/aside-1'))
    expect([pushes.inAttempt(), pushes.any(), pushes.ofTurn()]).toEqual([false, true, { commit: 'x', turnBase: null }])
    pushes.note(push('b', 'a'))
    pushes.note(push('c', 'b'))
    expect([pushes.ofTurn(), pushes.any(), pushes.inAttempt()]).toEqual([{ commit: 'c', turnBase: 'a' }, true, true])
  })

  it('by an earlier attempt at the turn counts, and by an earlier turn does not', () => {
    const ofTurn = createPushes(leaseOf('t1', 2, { pushed: { commit: 'b', inTurn: true, turnBase: null } }))
    expect([ofTurn.ofTurn(), ofTurn.inAttempt()]).toEqual([{ commit: 'b', turnBase: null }, false])
    ofTurn.note(push('c', 'b'))
    expect(ofTurn.ofTurn()).toEqual({ commit: 'c', turnBase: null })
    const earlier = createPushes(leaseOf('t1', 2, { pushed: { commit: 'b', inTurn: false, turnBase: null } }))
    expect([earlier.ofTurn(), earlier.any()]).toEqual([null, true])
    earlier.note(push('c', 'b'))
    expect(earlier.ofTurn()).toEqual({ commit: 'c', turnBase: 'b' })
  })
})
