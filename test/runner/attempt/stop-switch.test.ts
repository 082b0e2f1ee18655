import { once } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { openStopSwitch } from '../../../runner/attempt/stop-switch.ts'
import { waitFor } from '../../support/checks/wait.ts'

const log = pino({ level: 'silent' })

function make(timeLimitMs = 60_000, awayMs = 60_000) {
  const drain = new AbortController()
  const now = new AbortController()
  const runnerStop = { leave: new AbortController().signal, drain: drain.signal, now: now.signal }
  const stop = openStopSwitch({ runnerStop, timeLimitMs, log, timeGraceMs: 10, awayMs })
  const graces: number[] = []
  return { drain, now, stop, graces, bind: () => stop.whenStopped((graceMs) => graces.push(graceMs)) }
}

describe('what stops an attempt', () => {
  it('is its first cause, with time to save the work', () => {
    const { drain, stop, graces, bind } = make()
    bind()
    stop.because('cancelled')
    drain.abort()
    expect({ cause: stop.cause(), graces }).toEqual({ cause: 'cancelled', graces: [20_000] })
    stop.dispose()
  })

  it('leaves no time to a sandbox that floods us, and stays the cause that it was', () => {
    const { stop, graces, bind } = make()
    bind()
    stop.because('cancelled')
    stop.because('flooded')
    stop.because('flooded')
    expect([stop.cause(), stop.flooded(), graces]).toEqual(['cancelled', true, [20_000, 0]])
    bind()
    expect(graces).toEqual([20_000, 0, 0])
    stop.dispose()
  })

  it('is told to whoever comes later, and no more to who went', () => {
    const { now, stop, graces, bind } = make()
    stop.because('lost')
    const unbind = bind()
    expect(graces).toEqual([0])
    unbind()
    now.abort()
    expect(graces).toEqual([0])
    stop.dispose()
  })

  it('is the time from outside, when the agent does not keep it', async () => {
    const { stop } = make(10)
    expect(await waitFor('the time to be up', () => stop.cause())).toBe('time_exceeded')
    stop.dispose()
  })

  it('leaves no time when the runner may not wait', () => {
    const { drain, now, stop, graces, bind } = make()
    bind()
    drain.abort()
    now.abort()
    expect({ cause: stop.cause(), graces }).toEqual({ cause: 'runner_stopped', graces: [20_000, 0] })
    stop.dispose()
  })

  it('is not the time while the coordinator is waited for, and it goes on from where it stood', async () => {
    const { stop } = make(50)
    const back = new AbortController()
    const never = new AbortController().signal
    const waiting = [1, 2].map(() => stop.whileAway(never, () => once(back.signal, 'abort')))
    // As long again as the limit: a clock that ran would have stopped it by then.
    const late = new AbortController()
    const other = openStopSwitch({
      runnerStop: { leave: never, drain: never, now: never },
      timeLimitMs: 100,
      log,
      timeGraceMs: 10,
    })
    other.whenStopped(() => late.abort())
    await once(late.signal, 'abort')
    other.dispose()
    expect(stop.cause()).toBeNull()
    back.abort()
    await Promise.all(waiting)
    await waitFor('the limit', () => stop.cause() === 'time_exceeded')
    stop.dispose()
  })

  it('is the coordinator that stays away for too long', async () => {
    const { stop } = make(60_000, 20)
    await stop.whileAway(new AbortController().signal, () => waitFor('the end of the patience', () => stop.cause() !== null))
    expect(stop.cause()).toBe('coordinator_away')
    stop.dispose()
  })

  it('lets nobody wait for the coordinator who has to save the work in seconds', async () => {
    const { drain, stop } = make()
    const waiting = stop.whileAway(new AbortController().signal, async (gone) => once(gone, 'abort'))
    drain.abort()
    await waiting
    await stop.whileAway(new AbortController().signal, async (gone) => once(gone, 'abort'))
    await stop.whileAway(AbortSignal.abort(), async (gone) => expect(gone.aborted).toBe(true))
    stop.dispose()
  })
})
