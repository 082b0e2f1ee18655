import { describe, expect, it } from '@jest/globals'
import { addEvents } from '../../../../app/src/task/model/add-events.ts'
import { EMPTY_FEED, type Feed } from '../../../../app/src/task/model/feed.ts'
import { TASK_WORDS } from '../../../../app/src/task/text/words.ts'
import type { NewEvent, TaskEvent } from '../../../../contract/api/event.ts'

type Told = NewEvent & { attempt?: number }

function feedOf(...events: Told[]): Feed {
  return addEvents(
    EMPTY_FEED,
    events.map(({ attempt = 1, ...event }, index) => {
      const at = new Date(index * 1_000).toISOString()
      return { ...event, attempt, taskId: 't', seq: index + 1, at } as TaskEvent
    }),
  )
}
function boots({ items }: Feed) {
  return items.flatMap((item) => (item.kind === 'boot' ? [item] : []))
}

function asked(turn: number): Told {
  return {
    type: 'message.received',
    data: { messageId: `m${turn}`, turn, text: 'Go', mode: null, clientId: null },
  }
}
function taken(turn: number, attempt: number): Told {
  return {
    type: 'attempt.started',
    attempt,
    data: { turn, runner: `host-${attempt}` },
  }
}
const lost: Told = { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'runner_lost', message: null } }
function ended(turn: number, status: 'completed' | 'failed' = 'completed'): Told {
  return {
    type: 'task.ended',
    data: { turn, status, reason: status === 'completed' ? 'done' : 'git_unavailable', message: null, branch: null },
  }
}
const ready: Told = { type: 'sandbox.ready', data: { node: 'v24' } }
const cloned: Told = { type: 'repo.cloned', data: { baseBranch: 'main', commit: 'c', branch: 'b', resumed: false } }
function began(turn: number): Told {
  return { type: 'turn.started', data: { turn, model: 'm' } }
}

describe('the tries at a turn', () => {
  it('are counted from its own first one, though attempts are numbered over the whole task', () => {
    const feed = feedOf(asked(1), taken(1, 1), ended(1), asked(2), taken(2, 2), lost, taken(2, 3), lost, taken(2, 4))
    expect(boots(feed).map(({ attempt, nth }) => [attempt, nth])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 3],
    ])
  })

  it('have no number when the first ones were not loaded', () => {
    const later = feedOf(taken(2, 3), lost, taken(2, 4))
    expect(boots(later).map(({ nth }) => nth)).toEqual([1, null])
  })

  it('are told in words', () => {
    expect([2, 3, 4, 11, null].map(TASK_WORDS.boot.again)).toEqual(['2nd try', '3rd try', '4th try', '11th try', 'Another try'])
  })
})

describe('the start of an agent', () => {
  it('is over when the turn begins in a cloned repository', () => {
    expect(boots(feedOf(asked(1), taken(1, 1), ready, cloned, began(1)))[0]).toMatchObject({ agentAt: 4_000, stopped: false })
  })

  it('is none when the clone failed: the sandbox says that the turn started all the same', () => {
    const feed = feedOf(asked(1), taken(1, 1), ready, began(1), ended(1, 'failed'))
    expect(boots(feed)[0]).toMatchObject({ clonedAt: null, agentAt: null, stopped: true })
  })
})
