import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { End } from '../../../contract/wire/end.ts'
import type { LeaseAnswer } from '../../../contract/wire/lease.ts'
import { createSlots, leaseAndRun, type Slots } from '../../../runner/jobs/lease-and-run.ts'
import { createCoordinatorClient } from '../../../runner/lease/coordinator-client.ts'
import {
  leaseOf,
  RUNNER_TOKEN,
  type ScriptedCoordinator,
  startScriptedCoordinator,
} from '../../support/scripted/scripted-coordinator.ts'

const log = pino({ level: 'silent' })
const job = { taskId: 't1', turn: 1, signature: 's' }
function refusal(why: Extract<LeaseAnswer, { granted: false }>['refusal']): LeaseAnswer {
  return {
    granted: false,
    refusal: why,
    retryAfterMs: 1_234,
  }
}

describe('one turn off the queue', () => {
  let coordinator: ScriptedCoordinator
  let unwell: boolean
  let slots: Slots

  beforeEach(async () => {
    unwell = false
    slots = createSlots(1)
    coordinator = await startScriptedCoordinator()
  })
  afterEach(async () => {
    await coordinator.stop()
  })

  const client = (token = RUNNER_TOKEN) => createCoordinatorClient({ url: coordinator.url, token, proofOf: () => undefined, log })
  const handle = (data: unknown, end?: End | Error | null, token?: string) => {
    const run = async () => {
      if (end === undefined || end instanceof Error) throw end ?? new Error('no attempt was expected')
      return end
    }
    const runner = { id: 'r1', name: 'n', slots: 1 }
    return leaseAndRun({ client: client(token), runner, mayTake: async () => !unwell, slots, run, log }, data)
  }

  it('is refused for good when it is not one', async () => {
    expect(await handle({ taskId: 1 })).toMatchObject({ type: 'never' })
  })

  it('is left to others while this host is unwell, and its lease is not asked for', async () => {
    unwell = true
    coordinator.onLease(() => {
      throw new Error('no lease was to be asked for')
    })
    expect(await handle(job)).toEqual({ type: 'later', afterMs: 1_000 })
  })

  it.each([
    ['cancelled', { type: 'done', outcome: 'cancelled' }],
    ['ended', { type: 'done', outcome: 'ended' }],
    ['leased', { type: 'later', afterMs: 1_234 }],
    ['parked', { type: 'later', afterMs: 1_234 }],
    ['no_room', { type: 'later', afterMs: 1_234 }],
    ['unknown', { type: 'never' }],
  ] as const)('follows the refusal: %s', async (why, answer) => {
    coordinator.onLease(() => refusal(why))
    expect(await handle(job)).toMatchObject(answer)
  })

  it('comes back at its time when the attempt ended because the model does not answer, and that is no try', async () => {
    coordinator.onLease(() => ({ granted: true, lease: leaseOf('t1', 1) }))
    const until = new Date(Date.now() + 480_000).toISOString()
    const answer = await handle(job, { outcome: 'interrupted', reason: 'model_waiting', message: 'Overloaded', until })
    expect(answer).toEqual({ type: 'later', afterMs: expect.any(Number) })
    expect(answer.type === 'later' && answer.afterMs).toBeGreaterThan(470_000)
  })

  it('is asked again later while the coordinator cannot answer, or does not know the runner', async () => {
    coordinator.onLease(() => 503)
    expect(await handle(job)).toEqual({ type: 'later', afterMs: 5_000 })
    expect(await handle(job, undefined, 'a wrong runner token')).toEqual({ type: 'later', afterMs: 5_000 })
  })

  it('is done whatever the task came to, and tried again when the fault is ours', async () => {
    coordinator.onLease(() => ({ granted: true, lease: leaseOf('t1', 1) }))
    expect(await handle(job, { outcome: 'failed', reason: 'stuck', message: null })).toEqual({ type: 'done', outcome: 'failed' })
    const interrupted = { outcome: 'interrupted', reason: 'image_missing', message: null } as const
    expect(await handle(job, interrupted)).toEqual({ type: 'interrupted', why: 'image_missing' })
    expect(await handle(job, new Error('ENOSPC: no space left'))).toEqual({ type: 'interrupted', why: 'ENOSPC: no space left' })
  })

  it('carries an artifact up as a stream', async () => {
    const chunks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(10_000, i))
    await client().saveArtifact('t1', 2, 'bundle', Readable.from(chunks))
    expect(coordinator.artifacts.get('/runner/artifacts/t1/2/bundle')?.equals(Buffer.concat(chunks))).toBe(true)
  })

  it('says what to do about a refused token', async () => {
    await expect(
      client('a wrong runner token').renew({ runner: { id: 'r1', name: 'n', slots: 1 }, attempts: [] }),
    ).rejects.toThrow(/runner token refused: set RUNNER_TOKEN/)
  })
})
