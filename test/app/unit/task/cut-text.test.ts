import { describe, expect, it } from '@jest/globals'
import { addEvents } from '../../../../app/src/task/model/add-events.ts'
import { EMPTY_FEED } from '../../../../app/src/task/model/feed.ts'
import type { NewEvent, TaskEvent } from '../../../../contract/api/event.ts'

function textsOf(...events: NewEvent[]) {
  const at = new Date(0).toISOString()
  const told = events.map((event, index) => ({ ...event, taskId: 't', attempt: 1, seq: index + 1, at }) as TaskEvent)
  return addEvents(EMPTY_FEED, told).items.filter(({ kind }) => kind === 'text')
}

const ASKED: NewEvent = {
  type: 'message.received',
  data: { messageId: 'm', turn: 1, text: 'Go', mode: null, clientId: null },
}
const WHOLE: NewEvent = { type: 'text.written', data: { text: 'I look.' } }
const CUT: NewEvent = { type: 'text.written', data: { text: 'It is', cutOff: true } }

describe('a text that the agent was stopped in', () => {
  it('is marked, and no other', () => {
    expect(textsOf(ASKED, WHOLE, CUT)).toMatchObject([
      { text: 'I look.', cutOff: false },
      { text: 'It is', cutOff: true },
    ])
  })

  it('is shown once when it is the last of the turn, and stays marked', () => {
    const data = { turn: 1, outcome: 'cancelled', reason: 'cancelled_by_user', message: null, diff: null } as const
    const over: NewEvent = { type: 'turn.ended', data: { ...data, summary: 'It is' } }
    expect(textsOf(ASKED, CUT, over)).toMatchObject([{ text: 'It is', answer: true, cutOff: true }])
  })
})
