import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Queue } from 'bullmq'
import { execa } from 'execa'
import { JOB_RETRY } from '../../contract/wire/job.ts'
import { jobId, LABELS, QUEUE_NAME } from '../../contract/wire/names.ts'
import { waitFor } from '../support/checks/wait.ts'
import {
  leaseOf,
  RUNNER_TOKEN,
  type ScriptedCoordinator,
  startScriptedCoordinator,
} from '../support/scripted/scripted-coordinator.ts'
import { createProcess, type Process } from '../support/systems/process.ts'
import { imageThatRuns, type TemporaryFolder, temporaryFolder } from '../support/systems/temporary.ts'

/** Begins a turn and a tool, then writes a line every 20 ms; asked to stop, it ends the turn. */
const AGENT = `
const say = (type, data) => process.stdout.write(JSON.stringify({ type, data }) + '\\n')
say('sandbox.ready', { node: process.version })
say('turn.started', { turn: 1, model: 'm' })
say('tool.started', { callId: 'c', name: 'bash', title: 't', input: {} })
let n = 0
setInterval(() => say('text.written', { text: 'line ' + (n += 1) }), 20)
process.on('SIGTERM', () => {
  say('turn.ended', { turn: 1, outcome: 'interrupted', reason: 'runner_stopped', summary: 'saved', message: null, diff: null })
  process.exit(0)
})`

describe('the process of a runner', () => {
  let image: Awaited<ReturnType<typeof imageThatRuns>>
  let folder: TemporaryFolder
  let coordinator: ScriptedCoordinator
  let queue: Queue
  let runner: Process

  beforeAll(async () => {
    image = await imageThatRuns(['node', '-e', AGENT])
  })
  afterAll(() => image?.remove())

  beforeEach(async () => {
    folder = await temporaryFolder()
    coordinator = await startScriptedCoordinator()
    queue = new Queue(QUEUE_NAME, { connection: { url: coordinator.redis.url } })
    queue.on('error', () => undefined)
  })
  afterEach(async () => {
    await runner.end('SIGKILL')
    for (const id of await containers()) await execa('docker', ['rm', '--force', id])
    await queue.close()
    await coordinator.stop()
    await folder.remove()
  })

  const start = () => {
    const environment = {
      COORDINATOR_URL: coordinator.url,
      REDIS_URL: coordinator.redis.url,
      RUNNER_TOKEN,
      RUNNER_SLOTS: '1',
      RUNNER_DATA_DIR: folder.path,
      RUNNER_IMAGE: image.name,
      RUNNER_MEMORY_MB: '512',
      RUNNER_WORKSPACE_MB: '64',
    }
    runner = createProcess('runner', environment)
    return runner.start()
  }
  const containers = async (): Promise<string[]> => {
    const id = (await readFile(join(folder.path, 'runner-id'), 'utf8').catch(() => 'none')).trim()
    const { stdout } = await execa('docker', ['ps', '--all', '--quiet', '--filter', `label=${LABELS.runner}=${id}`])
    return stdout.split('\n').filter(Boolean)
  }
  const events = (attempt = 1) => coordinator.attempts.get(`t1/${attempt}`)?.events ?? []
  const texts = () => events().flatMap((event) => (event.type === 'text.written' ? [event.data.text] : []))
  const stateOf = async () => (await queue.getJob(jobId('t1', 1)))?.getState()
  const add = () => queue.add('turn', { taskId: 't1', turn: 1, signature: 's' }, { jobId: jobId('t1', 1), ...JOB_RETRY })
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`)

  it('killed in the middle of an attempt and started again, leaves no hole, no open pair and no container', async () => {
    const lease = leaseOf('t1', 1)
    coordinator.onLease(() => ({ granted: true, lease }))
    await add()
    await start()
    await waitFor('some lines', () => texts().length > 20 || Promise.reject(new Error(runner.log())), 20_000)
    // From here on the spool alone holds what is said.
    coordinator.reading = false
    const stored = events().length
    await waitFor('the spool to grow past it', async () => (await spooled()) > stored + 20)
    await runner.kill()
    await coordinator.redis.kill()
    await coordinator.redis.start()
    expect(await containers()).toHaveLength(1)

    coordinator.onLease(() => ({ granted: false, refusal: 'ended', retryAfterMs: 1_000 }))
    coordinator.reading = true
    await start()
    await waitFor('the end of the attempt', () => events().at(-1)?.type === 'attempt.ended', 20_000)
    expect(texts()).toEqual(lines(texts().length))
    expect(texts().length).toBeGreaterThan(stored)
    expect(events().slice(-3)).toMatchObject([
      { type: 'tool.ended', data: { callId: 'c', ok: false } },
      { type: 'turn.ended', data: { outcome: 'interrupted', reason: 'runner_stopped' } },
      { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'runner_stopped', message: null } },
    ])
    expect(await containers()).toEqual([])
    await waitFor('the spool to be gone', async () => (await readdir(join(folder.path, 'spool'))).length === 0)
    await waitFor('the job to be answered after its stall', async () => (await stateOf()) === 'completed', 40_000)
  })

  it('asked to stop, lets the agent save, reports, removes the container and gives the turn back', async () => {
    coordinator.onLease(() => ({ granted: true, lease: leaseOf('t1', 1) }))
    await add()
    await start()
    await waitFor('some lines', () => texts().length > 5, 20_000)
    expect(await runner.stop()).toBe(0)
    await waitFor('the last line of its log', runner.hasClosed)
    expect(runner.log()).toContain('runner.stopped')
    expect(texts()).toEqual(lines(texts().length))
    expect(events().slice(-2)).toMatchObject([
      { type: 'turn.ended', data: { outcome: 'interrupted', summary: 'saved' } },
      { type: 'attempt.ended', data: { outcome: 'interrupted', reason: 'runner_stopped' } },
    ])
    expect(await containers()).toEqual([])
    expect(await stateOf()).toBe('delayed')
  })

  it('stops also while Redis is gone, and keeps what it could not send', async () => {
    coordinator.onLease(() => ({ granted: true, lease: leaseOf('t1', 1) }))
    await add()
    await start()
    await waitFor('some lines', () => texts().length > 5, 20_000)
    await coordinator.redis.kill()
    const stopping = runner.stop()
    await waitFor('the exit', () => runner.hasClosed() || Promise.reject(new Error(runner.log())), 30_000)
    expect(await stopping).toBe(0)
    expect(await containers()).toEqual([])
    expect(await spooled()).toBeGreaterThan(5)
    await coordinator.redis.start()
  })

  const spooled = async (): Promise<number> => {
    const directory = join(folder.path, 'spool')
    const [name] = await readdir(directory)
    if (!name) return 0
    return (await readFile(join(directory, name), 'utf8')).split('\n').length - 2
  }
})
