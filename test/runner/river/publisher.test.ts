import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import type { NewEvent } from '../../../contract/api/event.ts'
import { LIMITS } from '../../../contract/api/limits.ts'
import { DELTA_CHANNEL, EVENT_STREAM, runnerChannel } from '../../../contract/wire/names.ts'
import { DeltaBody, SignedMessage, signedMessageText } from '../../../contract/wire/river.ts'
import { type Attempts, createAttempts } from '../../../runner/attempt/attempts.ts'
import { createMailbox } from '../../../runner/attempt/mailbox.ts'
import type { StopSwitch } from '../../../runner/attempt/stop-switch.ts'
import type { Delivery } from '../../../runner/river/delivery.ts'
import { openPublisher, type Publisher } from '../../../runner/river/publisher.ts'
import { hmacHex } from '../../../runner/river/signatures.ts'
import { createSpool, type Spool } from '../../../runner/river/spool.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type ScriptedCoordinator, startScriptedCoordinator } from '../../support/scripted/scripted-coordinator.ts'
import { usage } from '../../support/scripted/scripted-lines.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

function text(n: number): NewEvent {
  return { type: 'text.written', data: { text: `line ${n}` } }
}
function range(to: number) {
  return Array.from({ length: to }, (_, i) => text(i + 1))
}

describe('delivering events', () => {
  let folder: TemporaryFolder
  let coordinator: ScriptedCoordinator
  let attempts: Attempts
  let publisher: Publisher
  let observer: Redis
  const heard: string[] = []
  const spools: Spool[] = []

  beforeEach(async () => {
    folder = await temporaryFolder()
    coordinator = await startScriptedCoordinator({ persistent: false })
    attempts = createAttempts()
    publisher = openPublisher({ redisUrl: coordinator.redis.url, runnerId: 'r1', attempts, log: pino({ level: 'silent' }) })
    observer = new Redis(coordinator.redis.url)
    observer.on('error', () => undefined)
    await waitFor('the publisher to listen', async () => {
      const [, count] = (await observer.pubsub('NUMSUB', runnerChannel('r1'))) as [string, number]
      return Number(count) > 0
    })
    heard.length = 0
  })
  afterEach(async () => {
    publisher.close()
    for (const spool of spools.splice(0)) await spool.close()
    observer.disconnect()
    await coordinator.stop()
    await folder.remove()
  })

  const publish = async (taskId: string): Promise<{ spool: Spool; delivery: Delivery }> => {
    const signingKey = coordinator.expect(taskId, 1, 'r1')
    const spool = await createSpool(folder.path, { taskId, attempt: 1, turn: 1, signingKey })
    spools.push(spool)
    const delivery = publisher.deliver(spool, () => heard.push('fault'))
    const stop: Partial<StopSwitch> = { because: (cause) => heard.push(cause) }
    const about = { taskId, attempt: 1, signingKey, lease: null, hasSandbox: false, mailbox: createMailbox([], '') }
    attempts.add({ ...about, delivery, stop: stop as StopSwitch })
    return { spool, delivery }
  }
  const arrived = (taskId: string) => coordinator.attempts.get(`${taskId}/1`)?.events

  it('brings every event once and in order, though Redis is killed and forgets everything three times on the way', async () => {
    const { delivery } = await publish('t1')
    const events = range(2000)
    /** How many events each kill took with it: on the stream, and not read yet. */
    const lost: number[] = []
    for (const [index, event] of events.entries()) {
      // From here on events stay in Redis, until it forgets them.
      if (index % 600 === 480) coordinator.reading = false
      delivery.emit(event)
      await delivery.ready()
      if (index % 600 === 500) {
        await waitFor('events that only Redis has', async () => (await observer.xlen(EVENT_STREAM)) > 0)
        lost.push(await observer.xlen(EVENT_STREAM))
        await coordinator.redis.kill()
        await coordinator.redis.start()
        coordinator.reading = true
      }
    }
    expect(lost).toHaveLength(3)
    expect(Math.min(...lost)).toBeGreaterThan(0)
    expect(await delivery.finish()).toBe('acknowledged')
    expect(arrived('t1')).toEqual(events)
  })

  it('sends again what was lost on the way, though Redis itself never went away', async () => {
    coordinator.reading = false
    const { delivery } = await publish('t1')
    for (const event of range(20)) delivery.emit(event)
    await waitFor('the stream to hold them', async () => (await observer.xlen(EVENT_STREAM)) === 20)
    await observer.del(EVENT_STREAM)
    coordinator.reading = true
    expect(await delivery.finish()).toBe('acknowledged')
    expect(arrived('t1')).toEqual(range(20))
  })

  it('puts no more on the stream than the window, and no second copy of what waits there', async () => {
    coordinator.reading = false
    const { spool, delivery } = await publish('t1')
    for (const event of range(1200)) delivery.emit(event)
    await waitFor('everything to be spooled', () => spool.lastN() === 1200)
    const until = performance.now() + 2_500
    let most = 0
    await waitFor('two and a half seconds to pass', async () => {
      most = Math.max(most, await observer.xlen(EVENT_STREAM))
      return performance.now() > until
    })
    expect(most).toBe(LIMITS.unacknowledgedEvents)
    expect(await observer.xlen(EVENT_STREAM)).toBe(LIMITS.unacknowledgedEvents)
    coordinator.reading = true
    expect(await delivery.finish()).toBe('acknowledged')
    expect(arrived('t1')).toEqual(range(1200))
    expect(coordinator.attempts.get('t1/1')?.repeats).toBe(0)
  })

  it('fills no Redis while the coordinator is away for hours', async () => {
    coordinator.reading = false
    const { delivery } = await publish('t1')
    for (const event of range(20)) delivery.emit(event)
    await waitFor('the stream to hold them', async () => (await observer.xlen(EVENT_STREAM)) === 20)
    const now = performance.now.bind(performance)
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000)
    const until = now() + 2_500
    await waitFor('it to look after them twice', () => now() > until)
    clock.mockRestore()
    expect(await observer.xlen(EVENT_STREAM)).toBe(20)
    coordinator.reading = true
    expect(await delivery.finish()).toBe('acknowledged')
  })

  it('says that it is refused, and goes on until all that was spent is counted', async () => {
    coordinator.refusing = true
    const { delivery } = await publish('t1')
    for (const event of range(700)) delivery.emit(event)
    delivery.emit(usage)
    expect(await delivery.finish()).toBe('acknowledged')
    expect([arrived('t1'), heard[0]]).toEqual([[usage], 'lost'])
  })

  it('waits for nobody when nobody will answer', async () => {
    coordinator.reading = false
    const { delivery } = await publish('t1')
    delivery.emit(text(1))
    delivery.expectNoAnswer()
    expect(await delivery.finish()).toBe('unanswered')
  })

  it('heeds a signed cancel, and no other', async () => {
    const { delivery } = await publish('t1')
    const forged = { taskId: 't1', attempt: 1, body: '{"type":"cancel"}' }
    await observer.publish(runnerChannel('r1'), JSON.stringify({ ...forged, signature: 'ab'.repeat(32) }))
    await observer.publish(runnerChannel('r1'), 'no JSON at all')
    delivery.emit(text(1))
    await waitFor('the event to arrive', () => arrived('t1')?.length === 1)
    expect(heard).toEqual([])
    await coordinator.send('t1', 1, { type: 'cancel' })
    await waitFor('the cancel', () => heard.includes('cancelled'))
    expect(await delivery.finish()).toBe('acknowledged')
  })

  it('does not believe an acknowledgement of what was never said', async () => {
    coordinator.reading = false
    const { delivery } = await publish('t1')
    delivery.emit(text(1))
    await coordinator.send('t1', 1, { type: 'acknowledged', n: 7 })
    coordinator.reading = true
    expect(await delivery.finish()).toBe('acknowledged')
    expect(arrived('t1')).toEqual([text(1)])
  })

  it('leaves everything in the spool when it is abandoned', async () => {
    coordinator.reading = false
    const { spool, delivery } = await publish('t1')
    for (const event of range(300)) delivery.emit(event)
    const finished = delivery.finish()
    delivery.abandon()
    expect(await finished).toBe('abandoned')
    expect(spool.lastN()).toBe(300)
  })

  it('sends deltas signed, and drops them without a sound while Redis is away', async () => {
    const { spool, delivery } = await publish('t1')
    const listener = new Redis(coordinator.redis.url)
    const seen: unknown[] = []
    listener.on('message', (_channel, message) => {
      const { signature, ...signed } = SignedMessage.parse(JSON.parse(message))
      expect(signature).toBe(hmacHex(spool.header.signingKey, signedMessageText('delta', signed)))
      seen.push(DeltaBody.parse(JSON.parse(signed.body)))
    })
    await listener.subscribe(DELTA_CHANNEL)
    publisher.delta(spool.header, { offset: 0, text: 'hello' })
    await waitFor('the delta', () => seen.length === 1)
    expect(seen).toEqual([{ offset: 0, text: 'hello' }])
    listener.disconnect()
    await coordinator.redis.kill()
    publisher.delta(spool.header, { offset: 5, text: 'lost' })
    await coordinator.redis.start()
    expect(await delivery.finish()).toBe('acknowledged')
  })
})
