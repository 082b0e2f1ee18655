import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { LIMITS } from '../../../contract/api/limits.ts'
import type { Lease } from '../../../contract/wire/lease.ts'
import { type Attempts, createAttempts } from '../../../runner/attempt/attempts.ts'
import { runAttempt } from '../../../runner/attempt/run-attempt.ts'
import type { GatewayOptions } from '../../../runner/gateway/gateway.ts'
import { createCoordinatorClient } from '../../../runner/lease/coordinator-client.ts'
import { type Renewals, startRenewals } from '../../../runner/lease/renewals.ts'
import { openPublisher, type Publisher } from '../../../runner/river/publisher.ts'
import { EngineFault } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import {
  leaseOf,
  RUNNER_TOKEN,
  type ScriptedCoordinator,
  startScriptedCoordinator,
} from '../../support/scripted/scripted-coordinator.ts'
import { print, text, toolStarted, turnEnded, turnStarted, usage } from '../../support/scripted/scripted-lines.ts'
import { type ScriptedEngine, type Step, scriptedEngine } from '../../support/scripted/scripted-sandbox.ts'
import { startRedis, type TestRedis } from '../../support/systems/redis.ts'
import { temporaryFolder } from '../../support/systems/temporary.ts'

const runner = { id: 'r1', name: 'test', slots: 1 }
const log = pino({ level: 'silent' })

describe('an attempt', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let redis: TestRedis
  let coordinator: ScriptedCoordinator
  let publisher: Publisher
  let attempts: Attempts
  let renewals: Renewals
  let engine: ScriptedEngine
  let drain: AbortController
  let now: AbortController
  let gateway: GatewayOptions | null
  let gatewaysClosed: number
  let spoolDirectory: string

  beforeEach(async () => {
    folder = await temporaryFolder()
    redis = await startRedis({ persistent: false })
    coordinator = await startScriptedCoordinator(redis.url)
    attempts = createAttempts()
    publisher = openPublisher({ redisUrl: redis.url, runnerId: runner.id, attempts, log })
    const client = createCoordinatorClient({ url: coordinator.url, token: RUNNER_TOKEN, log })
    renewals = startRenewals({ client, runner, attempts, log, everyMs: 50 })
    ;[drain, now] = [new AbortController(), new AbortController()]
    ;[gateway, gatewaysClosed, spoolDirectory] = [null, 0, folder.path]
  })
  afterEach(async () => {
    await renewals.stop()
    publisher.close()
    await coordinator.stop()
    await redis.stop()
    await folder.remove()
  })

  const run = (steps: Iterable<Step> | EngineFault, change: Partial<Pick<Lease, 'messages'>> = {}) => {
    const lease = leaseOf('t1', 1, { signingKey: coordinator.expect('t1', 1, runner.id), ...change })
    engine = scriptedEngine(() => steps)
    const parts = {
      ...{ engine, attempts, renewals, publisher, keptWork: { keep: async () => undefined } },
      client: { saveArtifact: async () => undefined, openTranscript: async () => null },
      openGateway: async (options: GatewayOptions) => {
        gateway = options
        return { token: 'the-task-token', close: async () => void gatewaysClosed++ }
      },
      spoolDirectory,
      doorsDirectory: folder.path,
      coordinatorUrl: coordinator.url,
      ...{ npmRegistryUrl: 'http://127.0.0.1:9', allowedHosts: [] },
      secrets: [RUNNER_TOKEN],
      log,
    }
    return runAttempt(parts, lease, { drain: drain.signal, now: now.signal })
  }
  const said = () => coordinator.attempts.get('t1/1')?.events ?? []
  const types = () => said().map(({ type }) => type)

  it('ends as the agent says, with everything delivered and nothing left', async () => {
    const end = await run([
      print({ type: 'sandbox.ready', data: { node: 'v24' } }),
      turnStarted,
      text('hi'),
      turnEnded('completed', 'done'),
    ])
    expect(end).toEqual({ outcome: 'completed', reason: 'done', message: null })
    expect(types()).toEqual(['sandbox.ready', 'turn.started', 'text.written', 'turn.ended', 'attempt.ended'])
    expect(await readdir(folder.path)).toEqual([])
    expect({ removed: engine.removed, gatewaysClosed }).toEqual({ removed: 1, gatewaysClosed: 1 })
    expect(engine.started[0]).toMatchObject({ taskId: 't1', attempt: 1, token: 'the-task-token' })
    expect(gateway?.lease.assignment).not.toHaveProperty('access')
    expect(JSON.stringify(gateway?.lease.assignment)).not.toContain('CANARY')
  })

  it('closes what a crash left open, and tells how it crashed without a secret', async () => {
    const errorTail = 'Error: \u001b[31mcannot use the-task-token nor sk-ant-CANARY0123456789'
    const end = await run([turnStarted, toolStarted, { end: { exitCode: 70, errorTail } }])
    expect(end).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(types()).toEqual(['turn.started', 'tool.started', 'tool.ended', 'turn.ended', 'attempt.ended'])
    expect(end.message).toContain('Error: cannot use [secret] nor [secret]')
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
      gateway?.emit(usage)
    })()
    const watch = setTimeout(() => now.abort(), 20_000)
    const end = await run(flood).finally(() => clearTimeout(watch))
    expect(end).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(types()).toEqual(['turn.started', 'usage.counted', 'turn.ended', 'attempt.ended'])
  })

  it('hears no noise, no lie and no secret from the sandbox', async () => {
    await run([
      print('Segmentation fault'),
      print(null),
      print('{"type":"attempt.ended","data":{"outcome":"completed","reason":"done","message":null}}'),
      print('{"type":"usage.counted","data":{"inputTokens":0}}'),
      text(`${RUNNER_TOKEN} ghp_CANARY0123456789 ${Buffer.from('x-access-token:ghp_CANARY0123456789').toString('base64')}`),
      turnEnded('failed', 'stuck'),
    ])
    expect(types()).toEqual(['text.written', 'turn.started', 'turn.ended', 'attempt.ended'])
    expect(said()[0]?.data).toMatchObject({ text: expect.stringMatching(/^\[secret\] \[secret\] [\w+/]{20}\[secret\]\w?=?$/) })
    expect(said().at(-1)?.data).toEqual({ outcome: 'failed', reason: 'stuck', message: null })
  })

  it('says what the gateway says, cleaned', async () => {
    const steps = (function* (): Generator<Step> {
      gateway?.emit({ type: 'host.blocked', data: { host: 'evil\u001b[31m.example', method: 'CONNECT', advice: 'a' } })
      yield turnStarted
      yield turnEnded('completed', 'done')
    })()
    await run(steps)
    expect(said()[0]).toEqual({ type: 'host.blocked', data: { host: 'evil.example', method: 'CONNECT', advice: 'a' } })
  })

  it.each([
    ['engine_unavailable', new EngineFault('engine_unavailable', 'no engine')],
    ['image_missing', new EngineFault('image_missing', 'no image')],
    ['host_disk_full', new EngineFault('host_disk_full', 'no space')],
  ])('is interrupted when the host cannot start it: %s', async (reason, fault) => {
    expect(await run(fault)).toMatchObject({ outcome: 'interrupted', reason, message: fault.message })
    expect(types()).toEqual(['attempt.ended'])
    expect({ gatewaysClosed, left: await readdir(folder.path) }).toEqual({ gatewaysClosed: 1, left: [] })
  })

  it('is interrupted when the engine goes away under it', async () => {
    expect(await run([turnStarted, { engineLost: true }])).toMatchObject({ outcome: 'interrupted', reason: 'engine_unavailable' })
    expect(types()).toEqual(['turn.started', 'turn.ended', 'attempt.ended'])
  })

  it('hands its agent each message once, whichever way it comes, and believes it only about those', async () => {
    const message = (messageId: string) => ({ messageId, text: `text of ${messageId}` })
    const delivered = (messageId: string) => print({ type: 'message.delivered', data: { messageId, turn: 7 } })
    const running = run(
      [
        turnStarted,
        { untilStopped: true },
        delivered('word'),
        delivered('word'),
        delivered('never-sent'),
        turnEnded('failed', 'stuck'),
      ],
      { messages: [message('lease')] },
    )
    await waitFor('the turn to start', () => types().includes('turn.started'))
    await coordinator.send('t1', 1, { type: 'message', message: message('word') })
    await coordinator.send('t1', 1, { type: 'message', message: message('regretted') })
    await coordinator.send('t1', 1, { type: 'withdraw', messageId: 'regretted' })
    coordinator.renewMessages = [message('word'), message('regretted'), message('renewal')]
    await waitFor('the messages', () => gateway?.waitingMessages().some(({ messageId }) => messageId === 'renewal'))
    expect(gateway?.waitingMessages()).toEqual([message('lease'), message('word'), message('renewal')])
    drain.abort()
    await running
    expect(said().filter(({ type }) => type === 'message.delivered')).toEqual([
      { type: 'message.delivered', data: { messageId: 'word', turn: 1 } },
    ])
    expect(gateway?.waitingMessages()).toEqual([message('lease'), message('renewal')])
  })

  it('is cancelled by a signed word, after the agent saved its work, and whatever the agent makes of it', async () => {
    const running = run([turnStarted, { untilStopped: true }, text('saved'), turnEnded('completed', 'done')])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    await coordinator.send('t1', 1, { type: 'cancel' })
    expect(await running).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user' })
    expect(types()).toEqual(['turn.started', 'text.written', 'turn.ended', 'attempt.ended'])
    expect(said()[2]?.data).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user', summary: 's' })
    expect(engine.stops).toEqual([20_000])
  })

  it('is cancelled by a renewal too, when the word is lost', async () => {
    const running = run([turnStarted, { untilStopped: true }])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    coordinator.renewState = 'cancel'
    expect(await running).toMatchObject({ outcome: 'cancelled' })
  })

  it('is killed when the lease is lost, and of what it says then counts only what it cost', async () => {
    const steps = (function* (): Generator<Step> {
      yield* [turnStarted, { untilKilled: true } as const, text('too late')]
      gateway?.emit(usage)
    })()
    const running = run(steps)
    await waitFor('the turn to start', () => types().includes('turn.started'))
    coordinator.refusing = true
    coordinator.renewState = 'lost'
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_lost' })
    expect(types()).toEqual(['turn.started', 'usage.counted'])
    expect(engine.stops).toEqual([0])
    expect(await readdir(folder.path)).toEqual([])
  })

  it('waits for no acknowledgement of an attempt that the coordinator does not know any more, cancelled or not', async () => {
    const running = run([turnStarted, { untilStopped: true }, text('too late')])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    coordinator.reading = false
    await coordinator.send('t1', 1, { type: 'cancel' })
    await waitFor('the agent to be stopped', () => engine.stops.length > 0)
    coordinator.renewState = 'unknown'
    expect(await running).toMatchObject({ outcome: 'cancelled' })
    expect(await readdir(folder.path)).toEqual([])
  })

  it('knows before an effect whether the lease is still its own', async () => {
    const running = run([turnStarted, { untilStopped: true }])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    const { signal } = new AbortController()
    expect([await gateway?.confirmLease(signal), await gateway?.awaitLease(signal, 0)]).toEqual([true, true])
    coordinator.renewState = 'lost'
    expect([await gateway?.confirmLease(signal), await gateway?.awaitLease(signal, 0)]).toEqual([false, false])
    coordinator.refusing = true
    await running
  })

  it('goes on while the coordinator is away, and no effect is confirmed meanwhile', async () => {
    const running = run([turnStarted, { untilStopped: true }])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    await coordinator.stop()
    await expect(gateway?.confirmLease(AbortSignal.timeout(200))).rejects.toThrow('the coordinator did not answer in time')
    expect(engine.stops).toEqual([])
    for (const stop of [drain, now]) stop.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(await readdir(folder.path)).toHaveLength(1)
  })

  it('is interrupted when the runner stops, after the agent saved its work', async () => {
    const running = run([turnStarted, { untilStopped: true }, turnEnded('interrupted', 'runner_stopped')])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    drain.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(types()).toEqual(['turn.started', 'turn.ended', 'attempt.ended'])
  })

  it('is killed at once when the runner may not wait', async () => {
    const running = run([turnStarted, { untilKilled: true }])
    await waitFor('the turn to start', () => types().includes('turn.started'))
    drain.abort()
    now.abort()
    expect(await running).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(engine.stops).toEqual([20_000, 0])
  })

  it('starts no sandbox when its spool cannot be made, and says so at once', async () => {
    spoolDirectory = join(folder.path, 'not-there')
    expect(await run([turnStarted])).toMatchObject({ outcome: 'interrupted', reason: 'host_disk_full' })
    expect(types()).toEqual(['attempt.ended'])
    expect(said().at(-1)?.data).toMatchObject({ reason: 'host_disk_full' })
    expect(engine.started).toEqual([])
  })

  it('starts no sandbox for a turn that is cancelled already', async () => {
    drain.abort()
    expect(await run([turnStarted])).toMatchObject({ outcome: 'interrupted', reason: 'runner_stopped' })
    expect(engine.started).toEqual([])
  })

  it('is stopped when it says more than an attempt may', async () => {
    const flood = (function* (): Generator<Step> {
      yield turnStarted
      for (let i = 0; i < LIMITS.eventsPerAttempt + 1000; i += 1) yield text('x')
      yield { untilKilled: true }
    })()
    expect(await run(flood)).toMatchObject({ outcome: 'failed', reason: 'sandbox_crashed' })
    expect(said().length).toBeLessThan(LIMITS.eventsPerAttempt + 5)
    expect(types().slice(-2)).toEqual(['turn.ended', 'attempt.ended'])
    expect(engine.stops).toEqual([0])
  }, 120_000)
})
