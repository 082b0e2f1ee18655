import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import type { RenewAnswer, Unwell } from '../../../contract/wire/lease.ts'
import { type CoordinatorClient, CoordinatorFault } from '../../../runner/lease/coordinator-client.ts'
import { type Holding, startHolding } from '../../../runner/lease/holding.ts'
import { waitFor } from '../../support/checks/wait.ts'

let holding: Holding
afterEach(() => holding.stop())

/** A coordinator that is silent answers at the end of its test. */
let answerAll: () => void = () => undefined
const silence = new Promise<void>((done) => {
  answerAll = done
})

function hold(leaseMs = 30_000) {
  return holding.hold({ taskId: 't1', attempt: 1, leaseMs }, () => undefined)
}

/** A coordinator that answers renewals with these in turn; the last stays. */
function holdingOn(
  answers: readonly ('away' | 'silent' | RenewAnswer['attempts'][number]['state'])[],
  everyMs = 60_000,
): Holding {
  let asked = 0
  const client: Pick<CoordinatorClient, 'renew'> = {
    renew: async ({ attempts }) => {
      const state = answers[Math.min(asked++, answers.length - 1)] ?? 'away'
      if (state === 'silent') await silence
      if (state === 'away' || state === 'silent') throw new CoordinatorFault('unreachable', 'away')
      return {
        attempts: attempts.map((one) => ({ ...one, state, leaseMs: /held|cancel/.test(state) ? 30_000 : 0, messages: [] })),
      }
    },
  }
  const runner = { id: 'r1', name: 'test', slots: 1 }
  return startHolding({ client: client as CoordinatorClient, runner, log: pino({ level: 'silent' }), everyMs })
}

describe('the fence before an effect', () => {
  it('waits for a coordinator that is just being started again, so that no push is refused for it', async () => {
    holding = holdingOn(['away', 'away', 'held'])
    hold()
    expect(await holding.confirm('t1', 1, new AbortController().signal)).toBe(true)
  })

  it('is shut as soon as the coordinator says that the attempt is lost', async () => {
    holding = holdingOn(['away', 'away', 'lost'])
    const { signal } = hold()
    expect(await holding.confirm('t1', 1, new AbortController().signal)).toBe(false)
    expect(signal.reason).toBe('lost')
  })

  it('lets go at once of who is gone, also while the coordinator takes a call and does not answer it', async () => {
    holding = holdingOn(['silent'])
    hold()
    await expect(holding.confirm('t1', 1, AbortSignal.timeout(50))).rejects.toThrow('did not answer in time')
    answerAll()
  })

  it('lets nobody wait who is gone', async () => {
    holding = holdingOn(['away'])
    hold()
    await expect(holding.confirm('t1', 1, AbortSignal.timeout(50))).rejects.toThrow('did not answer in time')
  })
})

describe('renewing', () => {
  it('tells what is wrong with this host, for as long as it is', async () => {
    const told: unknown[] = []
    const renew: CoordinatorClient['renew'] = async ({ runner }) => {
      told.push(runner.unwell?.reason ?? 'well')
      return { attempts: [] }
    }
    let unwell: Unwell | undefined
    const runner = { id: 'r1', name: 'test', slots: 1 }
    const log = pino({ level: 'silent' })
    holding = startHolding({ client: { renew } as CoordinatorClient, runner, unwell: () => unwell, log, everyMs: 60_000 })
    await waitFor('the first word', () => told.length === 1)
    unwell = { reason: 'image_missing', message: '' }
    holding.announce()
    await waitFor('the second word', () => told.length === 2)
    unwell = undefined
    holding.announce()
    await waitFor('the third word', () => told.length === 3)
    expect(told).toEqual(['well', 'image_missing', 'well'])
  })
})

describe('the fence before money is spent', () => {
  const { signal } = new AbortController()
  const isOpen = () => holding.awaitLease('t1', 1, signal, 0)
  const shut = () => waitFor('the fence to be shut', async () => !(await isOpen()))
  afterEach(() => void jest.restoreAllMocks())

  it('is open without a question to the coordinator while the lease runs, and shut when it ran out', async () => {
    holding = holdingOn(['away'])
    hold(300)
    expect(await isOpen()).toBe(true)
    await shut()
  })

  it('opens again with the next renewal, for whoever waits at it', async () => {
    holding = holdingOn(['away', 'away', 'away', 'held'], 100)
    hold(1)
    await shut()
    expect(await holding.awaitLease('t1', 1, signal, 60_000)).toBe(true)
    expect(await isOpen()).toBe(true)
  })

  it('stays shut for an attempt that is lost, or let go', async () => {
    holding = holdingOn(['lost'])
    hold().release()
    expect(await isOpen()).toBe(false)
    hold()
    await holding.confirm('t1', 1, signal)
    expect(await isOpen()).toBe(false)
  })

  it('lets nobody wait who is gone', async () => {
    holding = holdingOn(['away'])
    hold(1)
    await shut()
    expect(await holding.awaitLease('t1', 1, AbortSignal.timeout(50), 60_000)).toBe(false)
  })

  it('counts the time that the machine slept or the clock was set on', async () => {
    holding = holdingOn(['away'])
    hold()
    const awake = Date.now()
    jest.spyOn(Date, 'now').mockImplementation(() => awake + 31_000)
    expect(await isOpen()).toBe(false)
  })
})
