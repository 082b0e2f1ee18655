import { PassThrough, type Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { LOG_BYTES } from '../../../runner/sandbox/container-spec.ts'
import { type Container, type ContainerState, followContainer } from '../../../runner/sandbox/follow-container.ts'
import { EngineFault, type Sandbox } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'

function frame(text: string, stream: 1 | 2 = 1): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}
const RUNNING = { running: true, exitCode: 0, outOfMemory: false }
const ENDED = { running: false, exitCode: 3, outOfMemory: false }
function away() {
  return new EngineFault('engine_unavailable', 'no engine here')
}

describe('a container that is followed', () => {
  let state: ContainerState | null | 'away' | 'hangs'
  /** What each reading of the log brings; the last one again and again. */
  let logs: Array<() => Readable>
  let stops: number[]
  let attached: PassThrough
  let sandbox: Omit<Sandbox, 'startHands'>
  let lines: Array<string | null>
  let reading: Promise<void>

  const container: Container = {
    look: async () => {
      if (state === 'away') throw away()
      if (state === 'hangs') return new Promise<never>(() => undefined)
      return state
    },
    readLog: async () => {
      const log = logs.length > 1 ? logs.shift() : logs[0]
      if (!log) throw away()
      return log()
    },
    stop: async (graceMs) => {
      stops.push(graceMs)
      if (state === 'away') throw away()
    },
    remove: async () => undefined,
  }
  const entries = (...texts: string[]) => {
    const log = new PassThrough()
    for (const text of texts) log.write(frame(text))
    return log
  }
  const whole =
    (...texts: string[]) =>
    () =>
      entries(...texts).end()
  /** A connection that is cut after these bytes. */
  const cutOff = (bytes: Buffer) => () => {
    const log = new PassThrough()
    log.write(bytes, () => setImmediate(() => log.destroy(new Error('cut'))))
    return log
  }
  const follow = (times: { awayMs?: number; quietMs?: number } = {}) => {
    const options = { overdueMs: 300, log: pino({ level: 'silent' }), times: { againMs: 5, ...times } }
    sandbox = followContainer(container, attached, options)
    const read = async () => {
      for await (const { text } of sandbox.lines) lines.push(text)
    }
    reading = read()
  }
  const ended = async () => {
    const end = await sandbox.wait()
    await reading
    return end
  }
  const heard = (...expected: string[]) =>
    waitFor('the lines', () => lines.length >= expected.length && lines.join() === expected.join())

  beforeEach(() => {
    state = RUNNING
    ;[logs, stops, lines] = [[], [], []]
    attached = new PassThrough()
  })
  afterEach(async () => {
    await sandbox.remove()
    await reading
  })

  it('is read on after a cut in the middle of a line, and of a frame, and ends as it ended', async () => {
    follow()
    attached.write(frame('one\ntw'))
    await heard('one')
    logs = [
      cutOff(Buffer.concat([frame('one\n'), frame('two\n'), frame('three\n').subarray(0, 10)])),
      whole('one\n', 'two\n', 'three\n'),
    ]
    state = ENDED
    attached.destroy(new Error('cut'))
    expect(await ended()).toEqual({ exitCode: 3, outOfMemory: false, errorTail: '' })
    expect(lines).toEqual(['one', 'two', 'three'])
  })

  it('goes on with a running container, though each connection ends at once', async () => {
    logs = [...Array.from({ length: 20 }, () => whole('one\n')), whole('one\n', 'two\n')]
    follow({ awayMs: 50 })
    attached.end(frame('one\n'))
    await heard('one', 'two')
    state = ENDED
    expect(await ended()).toMatchObject({ exitCode: 3 })
    expect(lines).toEqual(['one', 'two'])
  })

  it('is asked how it is when it is silent, for the connection may be dead', async () => {
    logs = [whole('one\n', 'two\n')]
    follow({ quietMs: 20 })
    attached.write(frame('one\n'))
    await heard('one')
    state = ENDED
    expect(await ended()).toMatchObject({ exitCode: 3 })
    expect(lines).toEqual(['one', 'two'])
  })

  it.each([
    ['stays away', () => 'away' as const, [], 'no engine here'],
    ['gives no log of what has ended', () => ENDED, [cutOff(Buffer.alloc(3))], 'does not send the rest'],
    ['lost the end', () => ENDED, [whole('o')], 'is missing'],
    ['lost the beginning', () => RUNNING, [() => entries('two\n', 'three\n')], 'something is missing'],
    ['sends nonsense', () => RUNNING, [cutOff(Buffer.from('Internal error'))], 'in no frame'],
    ['lost the container', () => null, [], 'Something outside Errand removed'],
  ])('ends as interrupted when the engine %s', async (_what, found, given, why) => {
    follow({ awayMs: 50 })
    attached.write(frame('one\n'))
    await heard('one')
    ;[state, logs] = [found(), given]
    attached.destroy(new Error('cut'))
    await expect(sandbox.wait()).rejects.toMatchObject({
      name: 'EngineFault',
      reason: 'engine_unavailable',
      message: expect.stringContaining(why),
    })
    await reading
    expect(lines.slice(0, 1)).toEqual(['one'])
    // Where it still runs, it may save its work.
    expect(stops).toEqual(found() === RUNNING ? [20_000] : [])
  })

  it('ends as interrupted when it has said more than the log can hold', async () => {
    logs = [whole('')]
    follow()
    const piece = frame('x'.repeat(1_000_000))
    for (let bytes = 0; bytes < LOG_BYTES; bytes += 1_000_000)
      if (!attached.write(piece)) await new Promise((done) => attached.once('drain', done))
    attached.end()
    await expect(sandbox.wait()).rejects.toMatchObject({ message: expect.stringContaining('more than the Docker engine') })
  })

  it('is told again to stop until the engine hears it, and the last word counts', async () => {
    state = 'away'
    follow()
    attached.destroy(new Error('cut'))
    const first = sandbox.stop(20_000)
    await waitFor('some tries', () => stops.length > 3)
    const second = sandbox.stop(0)
    await first
    await waitFor('a try', () => stops.at(-1) === 0)
    ;[state, logs] = [ENDED, [whole('')]]
    await second
    expect(await ended()).toMatchObject({ exitCode: 3 })
    expect(stops.slice(stops.indexOf(0)).every((graceMs) => graceMs === 0)).toBe(true)
  })

  it.each(['away', 'hangs'] as const)('is let go when it is not seen to end in time: the engine %s', async (how) => {
    state = how
    follow()
    attached.destroy(new Error('cut'))
    const stopping = sandbox.stop(0).catch((error) => error)
    await expect(sandbox.wait()).rejects.toMatchObject({
      reason: 'engine_unavailable',
      message: expect.stringContaining('not known whether the sandbox has ended'),
    })
    expect(await stopping).toEqual(how === 'away' ? away() : undefined)
  })

  it('is followed to its end when nobody reads its lines any more', async () => {
    logs = [whole('one\n', 'x'.repeat(16_000), 'y\n')]
    follow()
    attached.write(frame('one\n'))
    await heard('one')
    const nobody = sandbox.lines[Symbol.asyncIterator]()
    void nobody.return?.()
    for (let n = 0; n < 100; n += 1) attached.write(frame('x'.repeat(16_000)))
    state = ENDED
    attached.destroy(new Error('cut'))
    await expect(sandbox.wait()).resolves.toBeDefined()
  })
})
