import { describe, expect, it } from '@jest/globals'
import { type AttemptFacts, decideEnd, type StopCause, turnEnd } from '../../../runner/attempt/attempt-end.ts'

function facts(given: Partial<AttemptFacts>): AttemptFacts {
  return { turn: null, stop: null, fault: null, sandbox: null, ...given }
}
function ended(exitCode: number, outOfMemory = false, errorTail = '') {
  return { exitCode, outOfMemory, errorTail }
}
const done = { outcome: 'completed', reason: 'done', message: null } as const
const engine = { reason: 'engine_unavailable', message: 'no engine' } as const

describe('the end of an attempt', () => {
  it.each<[string, Partial<AttemptFacts>, string, string]>([
    ['a turn that ended', { turn: done, sandbox: ended(0) }, 'completed', 'done'],
    ['a turn that ended though something in it ran out of memory', { turn: done, sandbox: ended(0, true) }, 'completed', 'done'],
    ['a cancel', { stop: 'cancelled', sandbox: ended(143) }, 'cancelled', 'cancelled_by_user'],
    ['a cancel after the turn was over', { turn: done, stop: 'cancelled', sandbox: ended(0) }, 'completed', 'done'],
    ['a cancel before the sandbox was there', { stop: 'cancelled' }, 'cancelled', 'cancelled_by_user'],
    ['a lost lease', { stop: 'lost', sandbox: ended(137) }, 'interrupted', 'runner_lost'],
    ['a runner that stops', { stop: 'runner_stopped', sandbox: ended(143) }, 'interrupted', 'runner_stopped'],
    ['time used up', { stop: 'time_exceeded', sandbox: ended(137) }, 'failed', 'time_exceeded'],
    ['a flood', { stop: 'flooded', sandbox: ended(137) }, 'failed', 'sandbox_crashed'],
    ['a full disk under the spool', { stop: 'host_disk_full', sandbox: ended(143) }, 'interrupted', 'host_disk_full'],
    ['an engine that is away', { fault: engine }, 'interrupted', 'engine_unavailable'],
    ['an engine that went away while we stopped it', { stop: 'cancelled', fault: engine }, 'cancelled', 'cancelled_by_user'],
    ['an exit without a word', { sandbox: ended(0) }, 'failed', 'sandbox_crashed'],
    ['a crash', { sandbox: ended(70, false, 'TypeError: x') }, 'failed', 'sandbox_crashed'],
    ['no memory', { sandbox: ended(137, true) }, 'failed', 'out_of_memory'],
    ['a kill from outside', { sandbox: ended(137) }, 'interrupted', 'sandbox_killed'],
    [
      'a stop from outside that came before the supervisor could hear it',
      { sandbox: ended(143) },
      'interrupted',
      'sandbox_killed',
    ],
    ['an engine that lost sight of it', { sandbox: ended(255) }, 'interrupted', 'sandbox_killed'],
    ['no space', { sandbox: ended(70, false, 'ENOSPC: no space left on device, write') }, 'failed', 'out_of_disk'],
  ])('after %s', (_what, given, outcome, reason) => {
    expect(decideEnd(facts(given))).toMatchObject({ outcome, reason })
  })

  it('tells a person neither a stack nor an entry of a log', () => {
    const tail = [
      '{"at":"2026-11-28","event":"agent.crashed","stack":"TypeError: x"}',
      'node:internal/process/promises:394',
      '    triggerUncaughtException(err, true);',
      '    ^',
      'TypeError: no such tool',
      '    at run (file:///opt/errand/agent.mjs:1:2)',
      'Node.js v24.21.0',
    ].join('\n')
    const { message } = decideEnd(facts({ sandbox: ended(70, false, tail) }))
    expect(message).toBe("The agent's process ended with exit code 70.\nTypeError: no such tool")
  })

  it('tells a person how a sandbox crashed, within the bound of a message', () => {
    const { message } = decideEnd(facts({ sandbox: ended(70, false, 'x'.repeat(5000)) }))
    expect(message).toContain('exit code 70')
    expect(message).toHaveLength(2000)
  })
})

describe("the agent's word on its turn", () => {
  const said = (outcome: 'completed' | 'failed' | 'cancelled' | 'interrupted', reason: Parameters<typeof turnEnd>[0]['reason']) =>
    turnEnd({ outcome, reason, message: 'm' }, null)

  it('is believed in what the agent can know', () => {
    expect(said('completed', 'no_changes')).toEqual({ outcome: 'completed', reason: 'no_changes', message: 'm' })
    expect(said('interrupted', 'model_waiting')).toEqual({ outcome: 'interrupted', reason: 'model_waiting', message: 'm' })
    expect(said('failed', 'budget_exceeded')).toEqual({ outcome: 'failed', reason: 'budget_exceeded', message: 'm' })
  })

  it('is not believed in what only we can know', () => {
    expect(said('completed', 'cancelled_by_user')).toMatchObject({ outcome: 'completed', reason: 'done' })
    expect(said('failed', 'abandoned')).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(said('cancelled', 'cancelled_by_user')).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(said('interrupted', 'engine_unavailable')).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
  })

  it.each<StopCause>(['cancelled', 'runner_stopped', 'time_exceeded'])('gives way to why we stopped it: %s', (stop) => {
    expect(turnEnd({ outcome: 'completed', reason: 'done', message: null }, stop)).toEqual(decideEnd(facts({ stop })))
  })
})
