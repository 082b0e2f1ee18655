import { describe, expect, it } from '@jest/globals'
import type { Lease } from '../../../contract/wire/lease.ts'
import { type Allowance, createAllowance } from '../../../runner/attempt/allowance.ts'
import { type Attempts, createAttempts } from '../../../runner/attempt/attempts.ts'
import { createMailbox } from '../../../runner/attempt/mailbox.ts'
import { keepLease } from '../../../runner/lease/renewals.ts'
import type { Delivery } from '../../../runner/river/delivery.ts'

type WithOne = { attempts: Attempts; mailbox: ReturnType<typeof createMailbox>; allowance: Allowance }

function withOne(delivery: Partial<Delivery> | null): WithOne {
  const attempts = createAttempts()
  const mailbox = createMailbox([], 'the task')
  const allowance = createAllowance({ assignment: { budgetUsd: 2 } as Lease['assignment'], taskBudgetUsd: 5 })
  const about = { taskId: 't1', attempt: 2, signingKey: 'ab', hasSandbox: true, mailbox, allowance }
  attempts.add({ ...about, lease: keepLease(1_000), delivery: delivery as Delivery | null, stop: null })
  return { attempts, mailbox, allowance }
}
const message = { messageId: 'm1', text: 'look here' }

describe('the attempts of a runner', () => {
  it('heed a word about themselves, and no word about another', () => {
    const acknowledged: number[] = []
    const { attempts, mailbox } = withOne({ acknowledge: (n) => void acknowledged.push(n) })
    attempts.heed('t1', 2, { type: 'acknowledged', n: 3 })
    attempts.heed('t1', 1, { type: 'acknowledged', n: 9 })
    attempts.heed('t1', 2, { type: 'message', message })
    expect([acknowledged, mailbox.handOut()]).toEqual([[3], [message]])
    attempts.heed('t1', 2, { type: 'withdraw', messageId: 'm1' })
    expect(mailbox.handOut()).toEqual([])
  })

  it('heed a budget that was raised, once, however often it is told', () => {
    const { attempts, allowance } = withOne(null)
    expect(allowance.limitUsd()).toBe(2)
    for (const _ of [1, 2]) attempts.heed('t1', 2, { type: 'budget', taskBudgetUsd: 8 })
    expect(allowance.limitUsd()).toBe(5)
    attempts.heed('t1', 2, { type: 'budget', taskBudgetUsd: 0 })
    expect(allowance.limitUsd()).toBe(0)
  })

  it('heed a message that comes before their spool is open', () => {
    const { attempts, mailbox } = withOne(null)
    attempts.heed('t1', 2, { type: 'acknowledged', n: 3 })
    attempts.heed('t1', 2, { type: 'message', message })
    expect(mailbox.handOut()).toEqual([message])
  })

  it('are idle when the last work on one has ended, also when that failed, and also work that began meanwhile', async () => {
    const attempts = createAttempts()
    let end: (error: Error) => void = () => undefined
    const work = new Promise<never>((_, reject) => {
      end = reject
    })
    const tracked = attempts.track(work)
    let isIdle = false
    const idle = attempts.idle().then(() => {
      isIdle = true
    })
    const later = attempts.track(tracked.catch(() => new Promise((done) => setImmediate(done))))
    await new Promise((done) => setImmediate(done))
    expect(isIdle).toBe(false)
    end(new Error('the engine is gone'))
    await expect(tracked).rejects.toThrow('the engine is gone')
    expect(isIdle).toBe(false)
    await later
    await idle
  })
})
