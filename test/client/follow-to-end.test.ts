import { describe, expect, it } from '@jest/globals'
import { startFollowingToEnd, stepToEnd, type ToEndEffect } from '../../client/follow-to-end.ts'
import type { Task } from '../../contract/api/api.ts'
import type { Delta, TaskEvent } from '../../contract/api/event.ts'

type Input = Parameters<typeof stepToEnd>[1]

function event(seq: number, type = 'text.written', data: object = { turn: 1 }): Input {
  return { type: 'event', event: { taskId: 't', seq, attempt: 1, at: '', type, data } as unknown as TaskEvent }
}
const connected: Input = { type: 'connected' }
const lost: Input = { type: 'disconnected', byServer: false }
const quiet: Input = { type: 'fired', timer: 'quiet' }
function watched(lastSeq: number): Input {
  return { type: 'watched', lastSeq }
}
function taskEnded(seq: number, turn = 1) {
  return event(seq, 'task.ended', { turn })
}

/** @returns the effects of all inputs, without the waiting for silence that nearly each of them begins again */
function run(inputs: Input[], turn = 1, throughTurns = false): ToEndEffect[] {
  const effects: ToEndEffect[] = []
  let state = startFollowingToEnd('t', turn, throughTurns)
  for (const input of inputs) {
    const stepped = stepToEnd(state, input)
    state = stepped.state
    effects.push(...stepped.effects)
  }
  return effects.filter((effect) => !(effect.type === 'wait' && effect.as === 'quiet'))
}
function lastOf(inputs: Input[], turn?: number, throughTurns?: boolean) {
  return run(inputs, turn, throughTurns).at(-1)
}
const ENDED = { type: 'end', end: 'ended' }

describe('following a task to its end', () => {
  it('tells that it is connected, watches, and hands out what comes', () => {
    expect(run([connected, watched(0), event(1)])).toMatchObject([
      { type: 'connection', connected: true },
      { type: 'watch', after: 0 },
      { type: 'event', event: { seq: 1 } },
    ])
  })

  it('ends only when the end is the last event that the server has', () => {
    expect(lastOf([connected, watched(0), event(1), taskEnded(2)])).toEqual(ENDED)
    expect(lastOf([connected, watched(3), event(1), taskEnded(2)])).toMatchObject({ type: 'event' })
    expect(lastOf([connected, event(1), taskEnded(2)])).toMatchObject({ type: 'event' })
    expect(lastOf([connected, event(1), taskEnded(2), watched(2)])).toEqual(ENDED)
  })

  it('hands out the end before it ends, and nothing after it', () => {
    const effects = run([connected, watched(0), taskEnded(1), event(2), quiet, lost, { type: 'leave' }])
    expect(effects.slice(-2)).toMatchObject([{ type: 'event', event: { seq: 1 } }, ENDED])
  })

  it('goes on while the task has a later turn, and, on request, while a message waits to begin one', () => {
    const waits = { messageId: 'm', mode: 'queue' }
    const first = [connected, watched(0), event(1, 'message.received', waits), taskEnded(2)]
    expect(lastOf(first)).toEqual(ENDED)
    expect(lastOf(first, 2)).toMatchObject({ type: 'event' })
    expect(lastOf(first, 1, true)).toMatchObject({ type: 'event' })
    const second = [...first, event(3, 'message.delivered', waits), taskEnded(4, 2)]
    expect(lastOf(second, 2)).toEqual(ENDED)
    expect(lastOf(second, 1, true)).toEqual(ENDED)
    expect(lastOf([...first, event(3, 'message.withdrawn', waits)], 1, true)).toMatchObject({ type: 'event' })
  })

  it('takes a turn that an event followed as not ended', () => {
    expect(lastOf([connected, event(1), taskEnded(2), event(3), watched(3)])).not.toEqual(ENDED)
  })

  it('asks again in silence, on a connection alone', () => {
    expect(lastOf([connected, watched(0), event(1), quiet])).toEqual({ type: 'watch', after: 1 })
    expect(run([quiet])).toEqual([])
    expect(lastOf([connected, watched(0), lost, quiet])).toEqual({ type: 'connection', connected: false })
  })

  it('goes on from its last event on the next connection', () => {
    expect(run([connected, watched(0), event(1), lost, connected]).slice(-3)).toEqual([
      { type: 'connection', connected: false },
      { type: 'connection', connected: true },
      { type: 'watch', after: 1 },
    ])
  })

  it('connects again when the server ended the connection, which Socket.IO does not', () => {
    expect(lastOf([connected, { type: 'disconnected', byServer: true }])).toEqual({ type: 'connect' })
    expect(lastOf([connected, lost])).toEqual({ type: 'connection', connected: false })
  })

  it('cuts a connection that does not answer, unless it is gone', () => {
    expect(lastOf([connected, { type: 'unanswered' }])).toEqual({ type: 'cut' })
    expect(lastOf([connected, lost, { type: 'unanswered' }])).toEqual({ type: 'connection', connected: false })
  })

  it.each(['rate_limited', 'unavailable', 'internal', 'a code of a newer server'])(
    'waits two seconds when it is refused with %s',
    (code) => {
      const refusal = { code, message: 'Later.' }
      const atWatch = run([connected, { type: 'watch-refused', refusal }, { type: 'fired', timer: 'watch' }])
      expect(atWatch.slice(2)).toEqual([
        { type: 'refused-for-now', message: 'Later.' },
        { type: 'wait', as: 'watch', ms: 2_000 },
        { type: 'watch', after: 0 },
      ])
      const atDoor = run([
        { type: 'not-connected', refusal, retries: false },
        { type: 'fired', timer: 'connect' },
      ])
      expect(atDoor).toEqual([
        { type: 'connection', connected: false },
        { type: 'refused-for-now', message: 'Later.' },
        { type: 'wait', as: 'connect', ms: 2_000 },
        { type: 'connect' },
      ])
    },
  )

  it.each(['unauthorized', 'forbidden', 'not_found', 'invalid'])('ends when it is refused with %s', (code) => {
    const refusal = { code, message: 'No.' }
    expect(lastOf([connected, { type: 'watch-refused', refusal }, connected])).toEqual({
      type: 'end',
      end: { refusedAt: 'watch', refusal },
    })
    expect(lastOf([{ type: 'not-connected', refusal, retries: false }])).toEqual({
      type: 'end',
      end: { refusedAt: 'connection', refusal },
    })
  })

  it('leaves a connection that does not come about to Socket.IO, as long as that tries', () => {
    const refusal = { code: '', message: 'xhr poll error' }
    expect(run([{ type: 'not-connected', refusal, retries: true }])).toEqual([{ type: 'connection', connected: false }])
  })

  it('hands out the deltas and the summary of its own task alone', () => {
    const delta = (taskId: string): Input => ({ type: 'delta', delta: { taskId, attempt: 1, offset: 0, text: 'x' } as Delta })
    const task = (id: string): Input => ({ type: 'task', task: { id } as Task })
    expect(run([delta('other'), task('other')])).toEqual([])
    expect(run([delta('t'), task('t')])).toEqual([delta('t'), task('t')])
  })

  it('leaves in the middle of catching up', () => {
    expect(lastOf([connected, watched(9), event(1), { type: 'leave' }, event(2)])).toEqual({ type: 'end', end: 'left' })
  })
})
