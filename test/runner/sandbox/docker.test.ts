import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { createDockerEngine } from '../../../runner/sandbox/docker.ts'
import { type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

const CALL_MS = 200
const spec = { taskId: 't1', attempt: 1, doorDirectory: '/tmp', token: 'token' }

/** As the engine sends a piece of standard output (1) or standard error (2). */
function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}

describe('a Docker engine', () => {
  let folder: TemporaryFolder
  let server: Server
  let calls: string[]
  /** The calls that it still answers; the others it takes, and says nothing. */
  let answers: Record<string, { status: number; body?: unknown; cut?: true }>

  beforeEach(async () => {
    folder = await temporaryFolder()
    calls = []
    answers = {}
    // What a container is made of is in the address, too.
    server = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
      const call = `${request.method} ${(request.url ?? '').split('?')[0]}`
      calls.push(call)
      const answer = answers[call]
      if (!answer) return
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      if (answer.cut) return response.write('[', () => response.destroy())
      if (call.endsWith('/attach')) response.write(answer.body ?? '')
      else response.end(JSON.stringify(answer.body ?? {}))
    })
    await once(server.listen(join(folder.path, 'engine.sock')), 'listening')
  })
  afterEach(async () => {
    server.close()
    server.closeAllConnections()
    await folder.remove()
  })

  const engine = (callMs = CALL_MS) =>
    createDockerEngine({
      dockerHost: join(folder.path, 'engine.sock'),
      callMs,
      log: pino({ level: 'silent' }),
      runnerId: 'r1',
      image: 'worker',
      memoryMb: 64,
      workspaceMb: 64,
      cpus: 1,
      pids: 64,
      runtime: null,
    })
  const hangs = { name: 'EngineFault', reason: 'engine_unavailable', message: expect.stringContaining('does not answer') }

  it('fails each call in time, with words that say so', async () => {
    await expect(engine().check()).rejects.toMatchObject(hangs)
    await expect(engine().start(spec)).rejects.toMatchObject(hangs)
    await expect(engine().removeLeftovers(() => false)).rejects.toMatchObject(hangs)
    answers = { 'POST /containers/create': { status: 201, body: { Id: 'c1' } } }
    await expect(engine().start(spec)).rejects.toMatchObject(hangs)
    expect(calls.slice(-2)).toEqual(['POST /containers/c1/attach', 'DELETE /containers/c1'])
  })

  it('fails a call in time that is cut in the middle of its answer', async () => {
    answers = { 'GET /containers/json': { status: 200, cut: true }, 'GET /images/worker/json': { status: 200, cut: true } }
    await expect(engine().removeLeftovers(() => false)).rejects.toMatchObject(hangs)
    await expect(engine().check()).rejects.toMatchObject(hangs)
  })

  it('lets go of a sandbox that does not end when it is told to', async () => {
    answers = {
      'POST /containers/create': { status: 201, body: { Id: 'c1' } },
      'POST /containers/c1/attach': { status: 200 },
      'POST /containers/c1/start': { status: 204 },
    }
    const sandbox = await engine().start(spec)
    const read = async () => {
      for await (const line of sandbox.lines) expect(line).toBeNull()
    }
    // Its output ends too, cut or not.
    const reading = Promise.allSettled([read()])
    const waiting = expect(sandbox.wait()).rejects.toMatchObject(hangs)
    await expect(sandbox.stop(0)).rejects.toMatchObject(hangs)
    await waiting
    await expect(sandbox.remove()).rejects.toMatchObject(hangs)
    await reading
  })

  it.each([
    ['of one byte', Array.from({ length: 20_000 }, () => frame(1, 'x')), 'x'.repeat(20_000)],
    ['of nothing', [...Array.from({ length: 20_000 }, () => frame(1, '')), frame(2, 'not this\n'), frame(1, 'x')], 'x'],
  ])('reads output in any number of frames %s', async (_what, frames, line) => {
    answers = {
      'POST /containers/create': { status: 201, body: { Id: 'c1' } },
      'POST /containers/c1/attach': { status: 200, body: Buffer.concat([...frames, frame(1, '\n')]) },
      'POST /containers/c1/start': { status: 204 },
      'DELETE /containers/c1': { status: 204 },
    }
    const sandbox = await engine(10_000).start(spec)
    expect((await sandbox.lines[Symbol.asyncIterator]().next()).value?.text).toBe(line)
    await sandbox.remove()
  })

  it('removes the leftovers that it can, and tells of one that it cannot', async () => {
    const labels = { 'errand.task': 't1', 'errand.attempt': '1', 'errand.runner': 'r1' }
    answers = {
      'GET /containers/json': { status: 200, body: ['c1', 'c2'].map((Id) => ({ Id, Labels: labels })) },
      'DELETE /containers/c1': { status: 500, body: { message: 'device or resource busy' } },
      'DELETE /containers/c2': { status: 204 },
    }
    await expect(engine().removeLeftovers(() => false)).rejects.toMatchObject({ message: expect.stringContaining('busy') })
    expect(calls).toContain('DELETE /containers/c2')
  })

  it('keeps its hands off the sandboxes of attempts under way', async () => {
    const labels = (attempt: number) => ({ 'errand.task': 't1', 'errand.attempt': String(attempt), 'errand.runner': 'r1' })
    answers = {
      'GET /containers/json': {
        status: 200,
        body: [1, 2].map((attempt) => ({ Id: `c${attempt}`, Labels: labels(attempt) })),
      },
      'DELETE /containers/c1': { status: 204 },
    }
    expect(await engine().removeLeftovers((taskId, attempt) => taskId === 't1' && attempt === 2)).toBe(1)
    expect(calls).toEqual(['GET /containers/json', 'DELETE /containers/c1'])
  })
})
