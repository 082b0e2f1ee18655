import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { LIMITS } from '../../../contract/api/limits.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { print, text, turnEnded, turnStarted, usage } from '../../support/scripted/scripted-lines.ts'
import type { Step } from '../../support/scripted/scripted-sandbox.ts'
import { openScriptedAttempt, type ScriptedAttempt } from './scripted-attempt.ts'

describe('an attempt that is stopped', () => {
  let at: ScriptedAttempt
  beforeEach(async () => {
    at = await openScriptedAttempt()
  })
  afterEach(() => at.close())

  it('starts no sandbox for a turn that is cancelled already', async () => {
    at.drain.abort()
    expect(await at.run([turnStarted])).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(at.engine.started).toEqual([])
  })

  it('is cancelled by a signed word, after the agent saved its work, and whatever the agent makes of it', async () => {
    const running = at.run([turnStarted, { untilStopped: true }, text('saved'), turnEnded('completed', 'done')])
    await at.untilTurnStarts()
    await at.coordinator.send('t1', 1, { type: 'cancel' })
    expect(await running).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user' })
    expect(at.types()).toEqual(['turn.started', 'text.written', 'turn.ended', 'attempt.ended'])
    expect(at.events()[2]?.data).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user', summary: 's' })
    expect(at.engine.stops).toEqual([20_000])
  })

  it('is cancelled by a renewal too, when the word is lost', async () => {
    const running = at.run([turnStarted, { untilStopped: true }])
    await at.untilTurnStarts()
    at.coordinator.renewState = 'cancel'
    expect(await running).toMatchObject({ outcome: 'cancelled' })
  })

  it('is killed when the lease is lost, and of what it says then counts only what it cost', async () => {
    const steps = (function* (): Generator<Step> {
      yield* [turnStarted, { untilKilled: true } as const, text('too late')]
      at.gateway?.emit(usage)
    })()
    const running = at.run(steps)
    await at.untilTurnStarts()
    at.coordinator.refusing = true
    at.coordinator.renewState = 'lost'
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_lost' })
    expect(at.types()).toEqual(['turn.started', 'usage.counted'])
    expect(at.engine.stops).toEqual([0])
    expect(await readdir(at.folder.path)).toEqual([])
  })

  it('waits for no acknowledgement of an attempt that the coordinator does not know any more, cancelled or not', async () => {
    const running = at.run([turnStarted, { untilStopped: true }, text('too late')])
    await at.untilTurnStarts()
    at.coordinator.reading = false
    await at.coordinator.send('t1', 1, { type: 'cancel' })
    await waitFor('the agent to be stopped', () => at.engine.stops.length > 0)
    at.coordinator.renewState = 'unknown'
    expect(await running).toMatchObject({ outcome: 'cancelled' })
    expect(await readdir(at.folder.path)).toEqual([])
  })

  it('knows before an effect whether the lease is still its own', async () => {
    const running = at.run([turnStarted, { untilStopped: true }])
    await at.untilTurnStarts()
    const { signal } = new AbortController()
    expect([await at.gateway?.confirmLease(signal), await at.gateway?.awaitLease(signal, 0)]).toEqual([true, true])
    at.coordinator.renewState = 'lost'
    expect([await at.gateway?.confirmLease(signal), await at.gateway?.awaitLease(signal, 0)]).toEqual([false, false])
    at.coordinator.refusing = true
    await running
  })

  it('goes on while the coordinator is away, and no effect is confirmed meanwhile', async () => {
    const running = at.run([turnStarted, { untilStopped: true }])
    await at.untilTurnStarts()
    await at.coordinator.goAway()
    await expect(at.gateway?.confirmLease(AbortSignal.timeout(200))).rejects.toThrow('the coordinator did not answer in time')
    expect(at.engine.stops).toEqual([])
    for (const stop of [at.drain, at.now]) stop.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(await readdir(at.folder.path)).toHaveLength(1)
  })

  it('is interrupted when the runner stops, after the agent saved its work', async () => {
    const running = at.run([turnStarted, { untilStopped: true }, turnEnded('interrupted', 'runner_stopped')])
    await at.untilTurnStarts()
    at.drain.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(at.types()).toEqual(['turn.started', 'turn.ended', 'attempt.ended'])
  })

  it('is killed at once when the runner may not wait', async () => {
    const running = at.run([turnStarted, { untilKilled: true }])
    await at.untilTurnStarts()
    at.drain.abort()
    at.now.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(at.engine.stops).toEqual([20_000, 0])
  })

  it.each([
    ['noise', print('y')],
    ['events that fit nowhere', turnStarted],
    ['deltas faster than any model writes', print({ type: 'delta', offset: 0, text: 'x' })],
  ])('stops a sandbox that floods its output with %s, and counts a call under way', async (_what, step) => {
    const flood = (function* () {
      yield turnStarted
      for (let line = 0; line < 2 * LIMITS.eventsPerAttempt; line++) yield step
      yield { untilStopped: true } as const
      at.gateway?.emit(usage)
    })()
    // Else a flood that is not stopped would outlast the test. A stalled machine may take long over one that is.
    const watch = setTimeout(() => at.now.abort(), 60_000)
    const end = await at.run(flood).finally(() => clearTimeout(watch))
    expect(end).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(at.types()).toEqual(['turn.started', 'usage.counted', 'turn.ended', 'attempt.ended'])
  })

  it('is stopped when it says more than an attempt may', async () => {
    const flood = (function* (): Generator<Step> {
      yield turnStarted
      for (let i = 0; i < LIMITS.eventsPerAttempt + 1000; i += 1) yield text('x')
      yield { untilKilled: true }
    })()
    expect(await at.run(flood)).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(at.events().length).toBeLessThan(LIMITS.eventsPerAttempt + 5)
    expect(at.types().slice(-2)).toEqual(['turn.ended', 'attempt.ended'])
    expect(at.engine.stops).toEqual([0])
  })
})
