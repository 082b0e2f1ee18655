import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { pino } from 'pino'
import { decideEnd } from '../../../runner/attempt/attempt-end.ts'
import { createDockerEngine } from '../../../runner/sandbox/docker.ts'
import type { Sandbox } from '../../../runner/sandbox/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { type EngineProxy, startEngineProxy } from '../../support/outside/engine-proxy.ts'
import { createRandom } from '../../support/scripted/random.ts'
import { imageThatRuns, type TemporaryFolder, temporaryFolder } from '../../support/systems/temporary.ts'

/** Around the size of the pieces in which an engine keeps longer lines. */
const LONG = [16_370, 16_383, 16_384, 16_385, 32_768, 40_000]
const LENGTHS = Array.from({ length: 3000 }, (_, n) => (n % 20 ? n % 50 : (LONG[(n / 20) % LONG.length] ?? 0)))
const ALL = LENGTHS.map((length, n) => `${n} ${(n % 3 ? 'x' : 'é').repeat(length)}`)

/** Says all of the lines, for two seconds or so, and something on standard error between; with `stay`, then nothing until it is to end. */
const PROGRAM = `
const lengths = ${JSON.stringify(LENGTHS)}
const write = (n) => {
  for (const end = n + 30; n < end; n += 1) {
    process.stdout.write(n + ' ' + (n % 3 ? 'x' : 'é').repeat(lengths[n]) + '\\n')
    if (n % 7 === 0) process.stderr.write('error ' + n + '\\n')
  }
  if (n < lengths.length) setTimeout(write, 20, n)
  else if (process.argv[1] !== 'stay') process.exitCode = 3
}
if (process.argv[1] === 'stay') {
  setInterval(() => undefined, 1000)
  process.on('SIGTERM', () => process.stdout.write('saved\\n', () => process.exit(0)))
}
write(0)`

describe('a sandbox whose connection with the engine is cut', () => {
  let images: Record<'ends' | 'stays', Awaited<ReturnType<typeof imageThatRuns>>>
  let folder: TemporaryFolder
  let proxy: EngineProxy
  let sandbox: Sandbox
  let lines: Array<string | null>
  let reading: Promise<void>

  beforeAll(async () => {
    const [ends, stays] = await Promise.all(
      [
        ['node', '-e', PROGRAM],
        ['node', '-e', PROGRAM, 'stay'],
      ].map((program) => imageThatRuns(program)),
    )
    if (!ends || !stays) throw new Error('no images')
    images = { ends, stays }
  })
  afterAll(() => Promise.all(Object.values(images).map((image) => image.remove())))
  beforeEach(async () => {
    folder = await temporaryFolder()
    proxy = await startEngineProxy(join(folder.path, 'engine.sock'))
    lines = []
  })
  afterEach(async () => {
    await sandbox.remove()
    await reading
    await proxy.cut()
    await folder.remove()
  })

  const start = async (image: 'ends' | 'stays') => {
    const engine = createDockerEngine({
      dockerHost: proxy.path,
      runnerId: folder.path.slice(-6),
      image: images[image].name,
      log: pino({ level: 'silent' }),
      memoryMb: 256,
      workspaceMb: 64,
      cpus: 1,
      pids: 64,
      runtime: null,
    })
    sandbox = await engine.start({ taskId: folder.path.slice(-6), attempt: 1, doorDirectory: folder.path, token: 'token' })
    const read = async () => {
      for await (const { text } of sandbox.lines) lines.push(text)
    }
    reading = read()
  }
  const docker = async (...args: string[]) => {
    const { stdout } = await execa('docker', ['ps', '-aq', '--filter', `label=errand.task=${folder.path.slice(-6)}`])
    return (await execa('docker', [...args, stdout])).stdout
  }

  it('is heard to its end, each line once, wherever it is cut', async () => {
    const random = createRandom(7)
    await start('ends')
    const bytesRead = () => lines.reduce((sum, line) => sum + Buffer.byteLength(line ?? ''), 0)
    const cutting = new AbortController()
    const cutAgain = async () => {
      while (!cutting.signal.aborted) {
        const before = proxy.cuts()
        proxy.cutAfter(Math.ceil(bytesRead() * 1.1) + random.between(1, 700_000))
        await waitFor('the cut', () => cutting.signal.aborted || proxy.cuts() > before, 60_000)
      }
    }
    const cuts = cutAgain()
    const end = await sandbox.wait()
    await reading
    cutting.abort()
    await cuts
    expect({ ...end, errorTail: end.errorTail.split('\n').slice(-2) }).toEqual({
      exitCode: 3,
      outOfMemory: false,
      errorTail: ['error 2989', 'error 2996'],
    })
    expect(lines).toEqual(ALL)
    expect(proxy.cuts()).toBeGreaterThan(3)
  })

  it('is heard to its end when that came while the engine was away', async () => {
    await start('ends')
    await waitFor('the first lines', () => lines.length > 100)
    await proxy.cut()
    await waitFor('the end', async () => (await docker('inspect', '-f', '{{.State.Status}}')) === 'exited', 60_000, 200)
    expect(lines.length).toBeLessThan(ALL.length)
    await proxy.mend()
    expect(await sandbox.wait()).toMatchObject({ exitCode: 3 })
    await reading
    expect(lines).toEqual(ALL)
  })

  it('hears once the engine is back that it was asked to stop', async () => {
    await start('stays')
    await waitFor('the first lines', () => lines.length > 100)
    await proxy.cut()
    const stopping = sandbox.stop(20_000)
    // The engine may have logged a line of standard error after the last one of standard output.
    const lastLine = async () => (await docker('logs', '--tail', '10')).split('\n').at(-1)
    await waitFor('all of the lines', async () => (await lastLine()) === ALL.at(-1), 60_000, 200)
    expect(lines.length).toBeLessThan(ALL.length)
    expect(await docker('inspect', '-f', '{{.State.Status}}')).toBe('running')
    await proxy.mend()
    expect(await sandbox.wait()).toMatchObject({ exitCode: 0 })
    await stopping
    await reading
    expect(lines).toEqual([...ALL, 'saved'])
  })

  it('counts as interrupted when it is killed on its host', async () => {
    await start('stays')
    await waitFor('the first lines', () => lines.length > 100)
    await docker('kill')
    expect(await docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 137')
    const end = { turn: null, stop: null, fault: null, sandbox: await sandbox.wait() }
    expect(decideEnd(end)).toMatchObject({ outcome: 'interrupted', reason: 'sandbox_killed' })
  })
})
