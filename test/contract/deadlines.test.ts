import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import {
  COORDINATOR_ANSWER_MS,
  COORDINATOR_AWAY_MS,
  FENCE,
  JOB_LOCK_MS,
  LEASE_MS,
  MODEL_CALL,
  MODEL_SILENCE_MS,
  RENEW_EVERY_MS,
  RUNNER_SILENT_MS,
  RUNNER_STOP,
  SAVE,
  SAVE_MS,
  STALL_CHECK_MS,
  TIME_RESERVE_MS,
  TIME_UP,
} from '../../contract/wire/deadlines.ts'

describe('a sandbox that is being stopped', () => {
  it('leaves its agent time for one slow tool, or one slow answer, before the pushes', () => {
    expect(SAVE.toolMs + SAVE.agentPushMs).toBeLessThan(SAVE.agentMs)
    expect(SAVE.leaseAnswerMs + SAVE.agentPushMs).toBeLessThan(SAVE.agentMs)
  })
  it('leaves the rescue time to ask and to push after the agent was killed', () => {
    expect(SAVE.agentMs + SAVE.leaseAnswerMs + SAVE.rescuePushMs).toBeLessThan(SAVE_MS)
  })
  it('hears the gateway give up the coordinator before it gives up the gateway', () => {
    expect(SAVE.leaseWaitMs).toBeLessThan(SAVE.leaseAnswerMs)
  })
  it('is saved, reported and given back before its runner is killed, by Docker Compose too', async () => {
    expect(SAVE_MS + RUNNER_STOP.lastEventsMs + RUNNER_STOP.closeQueueMs).toBeLessThanOrEqual(RUNNER_STOP.wholeMs)
    const compose = await readFile('docker-compose.yml', 'utf8')
    const graces = [...compose.matchAll(/stop_grace_period: (\d+)s/g)].map(([, seconds]) => Number(seconds) * 1000)
    expect(graces.length).toBeGreaterThan(0)
    expect(Math.max(...graces)).toBeGreaterThan(RUNNER_STOP.wholeMs)
  })
})

describe('a lease', () => {
  it('survives a renewal that gets no answer, and the one after it', () => {
    expect(2 * (RENEW_EVERY_MS + COORDINATOR_ANSWER_MS)).toBeLessThanOrEqual(LEASE_MS)
  })
  it('has a runner that counts as gone after a lost renewal, not before, and before the lease is over', () => {
    expect(RENEW_EVERY_MS + COORDINATOR_ANSWER_MS).toBeLessThanOrEqual(RUNNER_SILENT_MS)
    expect(RUNNER_SILENT_MS).toBeLessThan(LEASE_MS)
  })
  it('is still there when the queue finds that the runner is gone: nobody else gets the turn before', () => {
    expect(JOB_LOCK_MS + STALL_CHECK_MS).toBeLessThan(LEASE_MS)
  })
})

describe('the fence', () => {
  it('waits for at least one whole answer of the coordinator', () => {
    expect(FENCE.effectMs).toBeGreaterThan(COORDINATOR_ANSWER_MS)
    expect(FENCE.effectMs).toBeGreaterThanOrEqual(RENEW_EVERY_MS + COORDINATOR_ANSWER_MS)
  })
  it('answers an asker before the sandbox takes the gateway for dead', () => {
    expect(FENCE.askerMs).toBeLessThan(FENCE.askerPatienceMs)
  })
  it('outlasts every lease while the coordinator is away', () => {
    expect(COORDINATOR_AWAY_MS).toBeGreaterThan(100 * LEASE_MS)
  })
})

describe('the time limit', () => {
  it('leaves room for the pushes, and stops no agent from outside that may still push', () => {
    expect(TIME_UP.pushMs).toBeLessThan(TIME_RESERVE_MS)
    expect(TIME_UP.pushMs).toBeLessThan(TIME_RESERVE_MS + TIME_UP.overtimeMs)
  })
})

describe('a silent model call', () => {
  it('is given up by the agent before the gateway cuts it', () => {
    expect(MODEL_CALL.firstByteMs).toBeLessThan(MODEL_SILENCE_MS)
    expect(MODEL_CALL.nextByteMs).toBeLessThan(MODEL_CALL.firstByteMs)
  })

  it('the shell that starts the agent waits as long for it as the other processes think', async () => {
    const script = await readFile('worker-image/supervisor/sandbox.sh', 'utf8')
    expect(Number(/^agent_seconds=(\d+)$/m.exec(script)?.[1]) * 1000).toBe(SAVE.agentMs)
  })
})
