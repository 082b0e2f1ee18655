import { describe, expect, it } from '@jest/globals'
import { NO_TEXT, renderLive } from '../../cli/show/live.ts'
import { renderEvent } from '../../cli/show/render.ts'
import { advance, emptyView, type View } from '../../cli/show/view.ts'
import type { NewEvent, TaskEvent } from '../../contract/api/event.ts'

const LOOK = { width: 80, colour: false }
const START = Date.parse('2026-11-21T10:00:00Z')
const BEGUN: NewEvent = { type: 'attempt.started', data: { turn: 1, runner: 'host-1' } }
const CLONED: NewEvent = {
  type: 'repo.cloned',
  data: { baseBranch: 'main', commit: 'abc1234', branch: 'errand/1/fix', resumed: false },
}

function tell(events: NewEvent[]): { lines: string[]; view: View } {
  let view = emptyView()
  const lines: string[] = []
  for (const [index, event] of events.entries()) {
    const full = {
      ...event,
      attempt: 1,
      taskId: 'tsk_1',
      seq: index + 1,
      at: new Date(START + index * 400).toISOString(),
    } as TaskEvent
    lines.push(...renderEvent(view, full, LOOK))
    view = advance(view, full)
  }
  return { lines, view }
}

describe('a wait for the model', () => {
  const until = new Date(START + 480_000).toISOString()
  const local = new Date(START + 480_000).toTimeString().slice(0, 5)
  const waiting = (attempt: number): NewEvent => ({ type: 'model.waiting', data: { reason: 'overloaded', attempt, until } })
  const resumed = (answered: boolean): NewEvent => ({ type: 'model.resumed', data: { waitedMs: 90_000, answered } })
  const live = (view: View, now: number) => renderLive(view, NO_TEXT, true, now, LOOK, 10).at(-1) ?? ''

  it('is one line, however many tries fail, with a countdown below', () => {
    const { lines, view } = tell([BEGUN, CLONED, waiting(1), waiting(2)])
    expect(lines.filter((line) => line.includes('overloaded'))).toEqual([
      expect.stringMatching(/^! The model API is overloaded\. Trying again in 7 min 5\d s\.$/),
    ])
    expect(live(view, START + 470_000)).toContain(`waiting for the model until ${local} (10.0 s)`)
    expect(live(view, START + 480_000)).toContain('asking the model again')
    const after = tell([BEGUN, CLONED, waiting(1), resumed(true)])
    expect(after.lines.at(-1)).toMatch(/^✓ the model answers again {2}1 min 30 s$/)
    expect(live(after.view, START + 470_000)).toContain('thinking')
  })

  it('that frees the slot says when the task goes on, and how not to wait', () => {
    const ended = { outcome: 'interrupted', reason: 'model_waiting', message: 'Overloaded' } as const
    const { lines, view } = tell([
      BEGUN,
      CLONED,
      waiting(1),
      resumed(false),
      { type: 'attempt.ended', data: { ...ended, until } },
    ])
    const said = lines.slice(-4).join(' ')
    expect(said).toMatch(/Waiting for the model/)
    expect(said.replace(/\s+/g, ' ')).toContain(`It goes on at ${local}; to try now: errand retry tsk_1`)
    expect(said).not.toMatch(/interrupted/i)
    expect(live(view, START)).toContain(`waiting for the model until ${local} (8 min 0 s)`)
    const again = tell([BEGUN, CLONED, { type: 'attempt.ended', data: { ...ended, until } }, BEGUN, CLONED])
    expect(live(again.view, START)).toContain('thinking')
  })
})
