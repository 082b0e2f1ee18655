import { expect, it } from '@jest/globals'
import { modelWaitOf } from '../../../../app/src/task/model/feed-facts.ts'

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
