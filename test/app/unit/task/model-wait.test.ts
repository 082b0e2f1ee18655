import { expect, it } from '@jest/globals'
import { addEvents } from '../../../../app/src/task/model/add-events.ts'
import { EMPTY_FEED } from '../../../../app/src/task/model/feed.ts'
import { modelWaitOf } from '../../../../app/src/task/model/feed-facts.ts'
import type { NewEvent, TaskEvent } from '../../../../contract/api/event.ts'

function feedOf(...events: NewEvent[]) {
  const numbered = events.map((event, index) => ({
    ...event,
    attempt: 1,
    taskId: 'tsk_1',
    seq: index + 1,
    at: new Date(1e12 + index).toISOString(),
  }))
  return addEvents(EMPTY_FEED, numbered as TaskEvent[])
}
const ASKED: NewEvent = { type: 'message.received', data: { messageId: 'x', turn: 1, text: 'x', mode: null, clientId: null } }
const BOOT: NewEvent[] = [
  { type: 'attempt.started', data: { turn: 1, runner: 'host-1' } },
  { type: 'repo.cloned', data: { baseBranch: 'main', commit: 'abc', branch: 'errand/1/fix', resumed: false } },
  { type: 'turn.started', data: { turn: 1, model: 'claude-opus-5-5' } },
]

it('a task waits for the model in its slot or in the queue, and otherwise for something else', () => {
  const until = '2026-11-21T10:00:00.000Z'
  const at = Date.parse(until)
  const running = { reason: 'overloaded', attempt: 2, until } as const
  const parked = { status: 'pending', reason: 'model_waiting', waitingUntil: until } as const
  expect(modelWaitOf({ status: 'running', reason: null, waitingUntil: null }, running)).toEqual({
    until: at,
    reason: 'overloaded',
  })
  expect(modelWaitOf(parked, null)).toEqual({ until: at, reason: null })
  expect(modelWaitOf({ ...parked, reason: 'no_runner' }, null)).toBeNull()
  expect(modelWaitOf({ ...parked, status: 'cancelled' }, running)).toBeNull()
  expect(modelWaitOf({ ...parked, waitingUntil: null }, null)).toBeNull()
  expect(modelWaitOf({ status: 'running', reason: null, waitingUntil: null }, null)).toBeNull()
})

it('knows until when the agent waits for the model, and forgets it with the answer or the attempt', () => {
  const waiting = (attempt: number): NewEvent => ({
    type: 'model.waiting',
    data: { reason: 'overloaded', attempt, until: new Date(attempt).toISOString() },
  })
  const resumed: NewEvent = { type: 'model.resumed', data: { waitedMs: 1, answered: true } }
  const begun = [ASKED, ...BOOT]
  expect(feedOf(...begun, waiting(1), waiting(2)).modelWait).toMatchObject({ attempt: 2 })
  expect(feedOf(...begun, waiting(1), resumed).modelWait).toBeNull()
  expect(feedOf(...begun, waiting(1), ...BOOT).modelWait).toBeNull()
})

it('shows a turn that freed its slot as paused: it is not in line, and coming back is no further try', () => {
  const until = new Date(60_000).toISOString()
  const end: NewEvent = { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'model_waiting', message: 'm', until } }
  const paused = feedOf(ASKED, ...BOOT, end)
  expect(paused.items.map(({ kind }) => kind)).toEqual(['message', 'boot', 'interrupted'])
  expect(paused.items.at(-1)).toMatchObject({ until })
  expect(feedOf(ASKED, ...BOOT, end, ...BOOT).items.at(-1)).toMatchObject({ kind: 'boot', nth: 1 })
})
