import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createConnection } from '../../../app/src/client/connection.ts'
import type { AppSocket } from '../../../app/src/client/socket.ts'

/** A line that does what a test says: how it answers, and when it comes and goes. */
function fakeLine() {
  const heard = new EventEmitter()
  const line = {
    connected: false,
    active: true,
    connects: 0,
    asked: [] as string[],
    answer: (_event: string): Promise<unknown> => Promise.resolve({ ok: true, protocol: 1, lastSeq: 7 }),
    io: { engine: newEngine() },
    on: heard.on.bind(heard),
    connect: () => {
      line.connects += 1
      return line
    },
    disconnect: () => {
      line.go('io client disconnect')
      return line
    },
    timeout: (ms: number) => ({
      emitWithAck: (event: string) => {
        line.asked.push(event)
        const late = new Promise((_resolve, reject) => void setTimeout(() => reject(new Error('late')), ms))
        return Promise.race([line.answer(event), late])
      },
    }),
    come: () => {
      line.connected = true
      heard.emit('connect')
    },
    go: (reason: string) => {
      line.connected = false
      heard.emit('disconnect', reason)
    },
    refuse: (code: string) => {
      line.active = false
      heard.emit('connect_error', Object.assign(new Error('refused'), { data: { code } }))
    },
  }
  return line
}
function newEngine() {
  return Object.assign(new EventEmitter(), { closed: false, close: jest.fn() })
}
async function setUp() {
  const line = fakeLine()
  const connection = createConnection(async () => line as unknown as AppSocket)
  connection.open()
  await soon()
  return { line, connection }
}
function silent() {
  return new Promise(() => {})
}
function pass(ms: number) {
  return jest.advanceTimersByTimeAsync(ms)
}
function soon() {
  return pass(1)
}

describe('the line to the server', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  it('is tried again when the part that makes it does not load', async () => {
    const line = fakeLine()
    const load = jest.fn<() => Promise<AppSocket>>().mockRejectedValueOnce(new Error('no network'))
    load.mockResolvedValue(line as unknown as AppSocket)
    const connection = createConnection(load)
    connection.open()
    await soon()
    expect(connection.state.get()).toBe('offline')
    await pass(1_100)
    expect(line.connects).toBe(1)
  })

  it('tells each time that it is live, and that the server speaks a newer protocol', async () => {
    const { line, connection } = await setUp()
    const live = jest.fn()
    connection.on('live', live)
    line.come()
    line.go('transport close')
    expect(connection.state.get()).toBe('offline')
    line.answer = async () => ({ ok: true, protocol: 2 })
    line.come()
    await soon()
    expect(live).toHaveBeenCalledTimes(2)
    expect(connection.tooOld.get()).toBe(true)
  })

  it('comes back by itself when the server ended it, and stays away from one that knows nobody', async () => {
    const { line, connection } = await setUp()
    line.come()
    line.go('io server disconnect')
    await pass(1_100)
    expect(line.connects).toBe(2)
    line.refuse('unavailable')
    await pass(1_100)
    expect(line.connects).toBe(3)
    line.refuse('unauthorized')
    await pass(60_000)
    await connection.probe()
    expect([connection.state.get(), line.connects]).toEqual(['unauthorized', 3])
  })

  it('gives null for what is refused, not answered, or cannot be asked', async () => {
    const { line, connection } = await setUp()
    expect(await connection.watch('t', 0)).toBeNull()
    line.come()
    expect(await connection.watch('t', 0)).toMatchObject({ lastSeq: 7 })
    line.answer = async () => ({ ok: false, error: { code: 'rate_limited' } })
    expect(await connection.watch('t', 0)).toBeNull()
    line.answer = silent
    const unanswered = connection.watch('t', 0)
    await pass(10_100)
    expect(await unanswered).toBeNull()
  })

  it('is cut after a sleep when nothing at all comes in 1.5 seconds', async () => {
    const { line, connection } = await setUp()
    line.come()
    await soon()
    line.answer = silent
    void connection.probe()
    await pass(1_400)
    expect(line.io.engine.close).not.toHaveBeenCalled()
    await pass(200)
    expect(line.io.engine.close).toHaveBeenCalledTimes(1)
  })

  it('is left alone when something comes, though the answer is late, and when it is a new one by then', async () => {
    const { line, connection } = await setUp()
    line.come()
    await soon()
    line.answer = silent
    void connection.probe()
    line.io.engine.emit('packet')
    await pass(3_000)
    expect(line.io.engine.close).not.toHaveBeenCalled()
    expect(line.io.engine.listenerCount('packet')).toBe(0)
    const old = line.io.engine
    void connection.probe()
    line.io.engine = newEngine()
    await pass(3_000)
    expect(old.close).not.toHaveBeenCalled()
    expect(line.io.engine.close).not.toHaveBeenCalled()
  })

  it('tries at once after a sleep, and not only when its pause is over', async () => {
    const { line, connection } = await setUp()
    await connection.probe()
    expect(line.connects).toBe(2)
  })

  it('says that it catches up as long as a feed lacks events', async () => {
    const { line, connection } = await setUp()
    line.come()
    connection.catchUp('t', true)
    expect(connection.state.get()).toBe('catching-up')
    connection.catchUp('t', false)
    expect(connection.state.get()).toBe('live')
  })
})
