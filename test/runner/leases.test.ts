import { afterEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { RenewAnswer } from '../../contract/lease.ts'
import { type CoordinatorClient, CoordinatorFault } from '../../runner/coordinator-client.ts'
import { type Holding, startHolding } from '../../runner/leases.ts'

let holding: Holding
afterEach(() => holding.stop())

/** A coordinator that answers renewals with these in turn; the last stays. */
const holdingOn = (answers: readonly ('away' | RenewAnswer['attempts'][number]['state'])[]): Holding => {
  let asked = 0
  const client: Pick<CoordinatorClient, 'renew'> = {
    renew: async ({ attempts }) => {
      const state = answers[Math.min(asked++, answers.length - 1)] ?? 'away'
      if (state === 'away') throw new CoordinatorFault('unreachable', 'away')
      return { attempts: attempts.map((one) => ({ ...one, state, leaseMs: 30_000, messages: [] })) }
    },
  }
  const runner = { id: 'r1', name: 'test', slots: 1 }
  return startHolding({ client: client as CoordinatorClient, runner, log: pino({ level: 'silent' }), everyMs: 60_000 })
}

describe('the fence before an effect', () => {
  it('waits for a coordinator that is just being started again, so that no push is refused for it', async () => {
    holding = holdingOn(['away', 'away', 'held'])
    holding.hold('t1', 1, () => undefined)
    expect(await holding.confirm('t1', 1, new AbortController().signal)).toBe(true)
  })

  it('is shut as soon as the coordinator says that the attempt is lost', async () => {
    holding = holdingOn(['away', 'away', 'lost'])
    const { signal } = holding.hold('t1', 1, () => undefined)
    expect(await holding.confirm('t1', 1, new AbortController().signal)).toBe(false)
    expect(signal.reason).toBe('lost')
  })

  it('lets nobody wait who is gone', async () => {
    holding = holdingOn(['away'])
    holding.hold('t1', 1, () => undefined)
    await expect(holding.confirm('t1', 1, AbortSignal.timeout(50))).rejects.toThrow('did not answer in time')
  })
})
