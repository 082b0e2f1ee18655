import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { pino } from 'pino'
import type { RenewAnswer, Unwell } from '../../../contract/wire/lease.ts'
import { type CoordinatorClient, CoordinatorFault } from '../../../runner/lease/coordinator-client.ts'
import { keepLease, type LeasedAttempt, type Renewals, startRenewals } from '../../../runner/lease/renewals.ts'
import { waitFor } from '../../support/checks/wait.ts'

let renewals: Renewals
let leased: LeasedAttempt[] = []
let causes: string[] = []
afterEach(async () => {
  await renewals.stop()
  ;[leased, causes] = [[], []]
})

/** A coordinator that is silent answers at the end of its test. */
let answerAll: () => void = () => undefined
const silence = new Promise<void>((done) => {
  answerAll = done
})

const attempts = { list: () => leased }

function keep(leaseMs = 30_000) {
  leased.push({
    taskId: 't1',
    attempt: 1,
    lease: keepLease(leaseMs),
    mailbox: { put: () => undefined },
    delivery: null,
    stop: { because: (cause) => causes.push(cause) },
  })
}

/** A coordinator that answers renewals with these in turn; the last stays. */
function renewalsOn(
  answers: readonly ('away' | 'silent' | RenewAnswer['attempts'][number]['state'])[],
  everyMs = 60_000,
): Renewals {
  let asked = 0
  const client: Pick<CoordinatorClient, 'renew'> = {
    renew: async ({ attempts }) => {
      const state = answers[Math.min(asked++, answers.length - 1)] ?? 'away'
      if (state === 'silent') await silence
      if (state === 'away' || state === 'silent') throw new CoordinatorFault('unreachable', 'away')
      return {
        attempts: attempts.map((one) => ({ ...one, state, leaseMs: /leased|cancel/.test(state) ? 30_000 : 0, messages: [] })),
      }
    },
  }
  const runner = { id: 'r1', name: 'test', slots: 1 }
  return startRenewals({ client, runner, attempts, log: pino({ level: 'silent' }), everyMs })
}

describe('the fence before an effect', () => {
  it('waits for a coordinator that is just being started again, so that no push is refused for it', async () => {
    renewals = renewalsOn(['away', 'away', 'leased'])
    keep()
    expect(await renewals.confirm('t1', 1, new AbortController().signal)).toBe(true)
  })

  it('is shut as soon as the coordinator says that the attempt is lost', async () => {
    renewals = renewalsOn(['away', 'away', 'lost'])
    keep()
    expect(await renewals.confirm('t1', 1, new AbortController().signal)).toBe(false)
    expect(causes).toEqual(['lost'])
  })

  it('lets go at once of who is gone, also while the coordinator takes a call and does not answer it', async () => {
    renewals = renewalsOn(['silent'])
    keep()
    await expect(renewals.confirm('t1', 1, AbortSignal.timeout(50))).rejects.toThrow('did not answer in time')
    answerAll()
  })

  it('lets nobody wait who is gone', async () => {
    renewals = renewalsOn(['away'])
    keep()
    await expect(renewals.confirm('t1', 1, AbortSignal.timeout(50))).rejects.toThrow('did not answer in time')
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
    renewals = startRenewals({ client: { renew }, runner, attempts, unwell: () => unwell, log, everyMs: 60_000 })
    await waitFor('the first word', () => told.length === 1)
    unwell = { reason: 'image_missing', message: '' }
    renewals.announce()
    await waitFor('the second word', () => told.length === 2)
    unwell = undefined
    renewals.announce()
    await waitFor('the third word', () => told.length === 3)
    expect(told).toEqual(['well', 'image_missing', 'well'])
  })
})

describe('the fence before money is spent', () => {
  const { signal } = new AbortController()
  const isOpen = () => renewals.awaitLease('t1', 1, signal, 0)
  const shut = () => waitFor('the fence to be shut', async () => !(await isOpen()))
  afterEach(() => void jest.restoreAllMocks())

  it('is open without a question to the coordinator while the lease runs, and shut when it ran out', async () => {
    renewals = renewalsOn(['away'])
    keep(300)
    expect(await isOpen()).toBe(true)
    await shut()
  })

  it('opens again with the next renewal, for whoever waits at it', async () => {
    renewals = renewalsOn(['away', 'away', 'away', 'leased'], 100)
    keep(1)
    await shut()
    expect(await renewals.awaitLease('t1', 1, signal, 60_000)).toBe(true)
    expect(await isOpen()).toBe(true)
  })

  it('stays shut for an attempt that is lost, or let go', async () => {
    renewals = renewalsOn(['lost'])
    keep()
    leased = []
    expect(await isOpen()).toBe(false)
    keep()
    await renewals.confirm('t1', 1, signal)
    expect(await isOpen()).toBe(false)
  })

  it('lets nobody wait who is gone', async () => {
    renewals = renewalsOn(['away'])
    keep(1)
    await shut()
    expect(await renewals.awaitLease('t1', 1, AbortSignal.timeout(50), 60_000)).toBe(false)
  })

  it('counts the time that the machine slept or the clock was set on', async () => {
    renewals = renewalsOn(['away'])
    keep()
    const awake = Date.now()
    jest.spyOn(Date, 'now').mockImplementation(() => awake + 31_000)
    expect(await isOpen()).toBe(false)
  })
})
