import { describe, expect, it } from '@jest/globals'
import type { NewEvent } from '../../../contract/api/event.ts'
import { createNesting } from '../../../runner/attempt/nesting.ts'

function started(callId: string): NewEvent {
  return { type: 'tool.started', data: { callId, name: 'bash', title: 't', input: {} } }
}
function ended(callId: string): NewEvent {
  return {
    type: 'tool.ended',
    data: { callId, name: 'bash', ok: true, output: '', outputBytes: 0, exitCode: 0, durationMs: 1 },
  }
}
const turnStarted: NewEvent = { type: 'turn.started', data: { turn: 9, model: 'of its own choice' } }
const turnEnded: NewEvent = {
  type: 'turn.ended',
  data: { turn: 9, outcome: 'completed', reason: 'done', summary: 's', message: null, diff: null },
}
const text: NewEvent = { type: 'text.written', data: { text: 'hello' } }
const crashed = { outcome: 'failed', reason: 'sandbox_crashed', message: 'm' } as const

function run(events: NewEvent[]) {
  const tree = createNesting(2, 'claude-sonnet-5-5')
  return [...events.flatMap((event) => tree.admit(event)), ...tree.close(crashed)]
}
function types(events: NewEvent[]) {
  return events.map(({ type }) => type)
}

describe('the tree of an attempt', () => {
  it('leaves a well-formed list as it is, with the turn as leased', () => {
    const said = run([turnStarted, text, started('1'), ended('1'), turnEnded])
    expect(types(said)).toEqual(['turn.started', 'text.written', 'tool.started', 'tool.ended', 'turn.ended', 'attempt.ended'])
    expect(said[0]?.data).toEqual({ turn: 2, model: 'claude-sonnet-5-5' })
    expect(said[4]?.data).toMatchObject({ turn: 2, outcome: 'completed' })
  })

  it('drops an end without a beginning, a second beginning, and a tool outside the turn', () => {
    const said = run([
      started('0'),
      ended('0'),
      turnStarted,
      turnStarted,
      ended('1'),
      started('1'),
      started('1'),
      ended('1'),
      ended('1'),
    ])
    expect(types(said)).toEqual(['turn.started', 'tool.started', 'tool.ended', 'turn.ended', 'attempt.ended'])
  })

  it('closes a wait for the model that no answer ended, and admits none outside the turn', () => {
    const until = new Date(0).toISOString()
    const waiting: NewEvent = { type: 'model.waiting', data: { reason: 'overloaded', attempt: 1, until } }
    const resumed: NewEvent = { type: 'model.resumed', data: { waitedMs: 5, answered: true } }
    const said = run([
      waiting,
      turnStarted,
      resumed,
      waiting,
      waiting,
      resumed,
      resumed,
      started('1'),
      waiting,
      turnEnded,
      waiting,
    ])
    expect(types(said).slice(1)).toEqual([
      'model.waiting',
      'model.waiting',
      'model.resumed',
      'tool.started',
      'model.waiting',
      'tool.ended',
      'model.resumed',
      'turn.ended',
      'attempt.ended',
    ])
    expect(said[3]?.data).toMatchObject({ answered: true })
    expect(said[7]?.data).toEqual({ waitedMs: expect.any(Number), answered: false })
    expect(types(run([turnStarted, waiting]))).toEqual([
      'turn.started',
      'model.waiting',
      'model.resumed',
      'turn.ended',
      'attempt.ended',
    ])
  })

  it('closes what is open when the attempt ends, inner first', () => {
    const said = run([turnStarted, started('1'), started('2')])
    expect(types(said).slice(3)).toEqual(['tool.ended', 'tool.ended', 'turn.ended', 'attempt.ended'])
    expect(said[3]?.data).toMatchObject({ callId: '1', ok: false })
    expect(said[5]?.data).toMatchObject({ ...crashed, turn: 2, summary: '' })
    expect(said[6]?.data).toEqual(crashed)
  })

  it('closes open tools when the turn ends, begins a turn that only ends, and hears nothing of the agent afterwards', () => {
    expect(types(run([turnStarted, started('1'), turnEnded, started('2'), text, turnStarted, turnEnded]))).toEqual([
      'turn.started',
      'tool.started',
      'tool.ended',
      'turn.ended',
      'attempt.ended',
    ])
    expect(types(run([turnEnded]))).toEqual(['turn.started', 'turn.ended', 'attempt.ended'])
  })

  it('makes up no turn for an attempt that never began one, and ends once', () => {
    const tree = createNesting(1, 'm')
    expect(types(tree.close(crashed))).toEqual(['attempt.ended'])
    expect(tree.close(crashed)).toEqual([])
    expect(tree.admit(text)).toEqual([])
  })
})
