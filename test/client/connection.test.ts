import { describe, expect, it } from '@jest/globals'
import { type ConnectionEffect, type ConnectionState, NO_CONNECTION, stepConnection } from '../../client/connection.ts'

type Input = Parameters<typeof stepConnection>[1]

const open: Input = { type: 'open' }
const loaded: Input = { type: 'loaded' }
const notLoaded: Input = { type: 'not-loaded' }
const connected: Input = { type: 'connected' }
const lost: Input = { type: 'disconnected', byServer: false }
const probe: Input = { type: 'probe' }
const patience: Input = { type: 'fired', timer: 'patience' }
const comeBack: Input = { type: 'fired', timer: 'return' }
function refused(unauthorized: boolean, retries = false): Input {
  return { type: 'refused', unauthorized, retries }
}
function behind(taskId: string, isBehind: boolean): Input {
  return { type: 'behind', taskId, behind: isBehind }
}

/** Takes the inputs, a second apart. */
function run(inputs: Input[], from: ConnectionState = NO_CONNECTION) {
  let state = from
  let last: readonly ConnectionEffect[] = []
  inputs.forEach((input, second) => {
    const stepped = stepConnection(state, input, `second ${second}`)
    state = stepped.state
    last = stepped.effects
  })
  return { state, status: state.status, last }
}
const LIVE = run([open, loaded, connected])

describe('a connection', () => {
  it('loads the part that makes the line, once, and connects', () => {
    expect(run([open]).last).toEqual([{ type: 'wait', as: 'patience', ms: 5_000 }, { type: 'load' }])
    expect(run([open, open]).last).toEqual([])
    expect(run([open, loaded]).last).toEqual([{ type: 'connect' }])
    expect(run([open, loaded, open]).last).toEqual([])
  })

  it('loads it again a second after it did not come', () => {
    const failed = run([open, notLoaded])
    expect(failed.status).toBe('offline')
    expect(failed.last).toContainEqual({ type: 'wait', as: 'return', ms: 1_000 })
    expect(run([comeBack], failed.state).last).toEqual([{ type: 'load' }])
  })

  it('tells what is in front, greets, and tells that it is live, each time', () => {
    const hello = [{ type: 'tell-front', front: { active: true, taskId: null } }, { type: 'greet' }, { type: 'live' }]
    expect(LIVE).toMatchObject({ status: 'live', last: expect.arrayContaining(hello) })
    expect(run([lost, connected], LIVE.state).last).toEqual(expect.arrayContaining(hello))
    const front = { active: false, taskId: 't' }
    expect(run([lost, { type: 'look', front }, connected], LIVE.state).last).toContainEqual({ type: 'tell-front', front })
  })

  it('comes back where Socket.IO does not, and leaves it alone where it does', () => {
    const wait = { type: 'wait', as: 'return', ms: 1_000 }
    expect(run([{ type: 'disconnected', byServer: true }], LIVE.state).last).toContainEqual(wait)
    expect(run([lost], LIVE.state).last).not.toContainEqual(wait)
    expect(run([refused(false)], LIVE.state).last).toContainEqual(wait)
    expect(run([refused(false, true)], LIVE.state).last).not.toContainEqual(wait)
    expect(run([lost, comeBack], LIVE.state).last).toEqual([{ type: 'connect' }])
  })

  it('stays away from a server that knows nobody', () => {
    const out = run([refused(true)], LIVE.state)
    expect(out).toMatchObject({ status: 'unauthorized', last: [{ type: 'stop', as: 'patience' }] })
    expect(run([probe], out.state).last).toEqual([])
  })

  it('is too old for a server that speaks a newer protocol, until that one is gone', () => {
    const old = run([{ type: 'greeted', protocol: 2 }], LIVE.state)
    expect(old.state.tooOld).toBe(true)
    expect(run([{ type: 'greeted', protocol: 1 }], old.state).state.tooOld).toBe(false)
  })

  it('catches up as long as any feed lacks events, and on the next line too', () => {
    const two = run([behind('a', true), behind('b', true), behind('b', true), behind('a', false)], LIVE.state)
    expect(two.status).toBe('catching-up')
    expect(run([behind('b', false)], two.state).status).toBe('live')
    expect(run([lost, behind('a', true)], two.state).status).toBe('offline')
    expect(run([lost, connected], two.state).status).toBe('catching-up')
  })

  it('probes a line that is there, hurries one that pauses, and opens one that is not', () => {
    expect(run([probe], LIVE.state).last).toEqual([{ type: 'probe' }])
    expect(run([lost, probe], LIVE.state).last).toEqual([{ type: 'connect-now' }])
    expect(run([probe]).last).toContainEqual({ type: 'load' })
    expect(run([open, probe]).last).toEqual([])
  })

  it('cuts a line that does not carry, and no other', () => {
    expect(run([probe, { type: 'probed', carries: false }], LIVE.state).last).toEqual([{ type: 'cut' }])
    expect(run([probe, { type: 'probed', carries: true }], LIVE.state).last).toEqual([])
  })

  it('ends', () => {
    expect(run([{ type: 'close' }], LIVE.state).last).toEqual([{ type: 'stop', as: 'return' }, { type: 'disconnect' }])
  })
})

describe('a break', () => {
  it('is mentioned once it lasts two seconds, and counts from its beginning', () => {
    const down = run([connected, lost], LIVE.state)
    expect(down.state.downSince).toBeNull()
    expect(down.last).toEqual([{ type: 'wait', as: 'patience', ms: 2_000 }])
    const told = run([patience], down.state)
    expect(told.state.downSince).toBe('second 1')
    expect(run([refused(false, true), lost], told.state)).toMatchObject({ state: { downSince: 'second 1' }, last: [] })
  })

  it('is over with the next line', () => {
    const back = run([lost, patience, connected], LIVE.state)
    expect(back.state).toMatchObject({ downSince: null, brokeAt: null })
    expect(back.last).toContainEqual({ type: 'stop', as: 'patience' })
  })

  it('is mentioned although every try to load the line fails at once', () => {
    const again = run([open, notLoaded, comeBack, notLoaded, comeBack])
    expect(again.last).toEqual([{ type: 'load' }])
    expect(run([patience], again.state).state.downSince).toBe('second 0')
  })
})
