import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EXIT } from '../../../contract/wire/sandbox.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import type { Policy } from '../../support/outside/model-server.ts'
import { freePort } from '../../support/systems/temporary.ts'
import { type Errand, endOf, eventsOf, readLines, startErrand } from '../errand.ts'
import { answer, bash, call, inTurn, mends, text } from '../policies.ts'

let errand: Errand
let child: ChildProcess
let output: string

/** The very program of the image, on this host. */
async function start(policy: Policy, environment: Record<string, string> = {}) {
  errand = await startErrand({ policy })
  const { config } = errand
  child = spawn(process.execPath, ['--import', 'tsx', 'worker-image/main.ts'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...config.inherited,
      ERRAND_TASK_TOKEN: config.token,
      ERRAND_DOOR_SOCKET: config.socketPath,
      ERRAND_DOOR_PORT: String(await freePort()),
      ERRAND_WORKSPACE: config.workspace,
      ERRAND_SCRATCH: config.scratch,
      ...environment,
    },
  })
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
}

/** @returns the exit code and all that was said */
async function ended() {
  if (child.exitCode === null) await once(child, 'exit')
  return { code: child.exitCode, lines: readLines(output) }
}

beforeEach(() => {
  output = ''
})
afterEach(async () => {
  child.kill('SIGKILL')
  await errand.stop()
})

const writes = call('write', { file_path: 'new.txt', content: 'whole\n' })

describe('the supervisor', () => {
  it('is ready first, and ends with a code that says that the end was said', async () => {
    await start(mends)
    const { code, lines } = await ended()
    expect(code).toBe(EXIT.reported)
    expect(lines[0]).toEqual({ type: 'sandbox.ready', data: { node: process.version } })
    expect(eventsOf(lines, 'sandbox.ready')).toHaveLength(1)
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done' })
  })

  it.each([
    ['KILL', 'out_of_memory'],
    ['ABRT', 'sandbox_crashed'],
  ])('saves the work and says the end when the agent dies of SIG%s', async (signal, reason) => {
    // A command's parent is the agent.
    await start(inTurn(answer(writes), answer(bash(`kill -${signal} $PPID`))))
    const { code, lines } = await ended()
    expect(code).toBe(EXIT.reported)
    expect(endOf(lines)).toMatchObject({ outcome: 'failed', reason, diff: { files: 1 } })
    expect(await refsOf(errand.origin)).toHaveProperty(`refs/heads/${errand.assignment.branch}`)
  })

  it('ends what the agent left running before it delivers', async () => {
    const locks = `(while :; do touch .git/index.lock; echo again >> busy.txt; sleep 0.01; done) & echo $! > ../left`
    await start(inTurn(answer(writes), answer(bash(locks)), answer(bash('kill -KILL $PPID'))))
    const { lines } = await ended()
    const left = Number(await readFile(`${errand.config.workspace}/../left`, 'utf8'))
    // Empty also for one that is over and that nobody has asked about yet.
    expect(await readFile(`/proc/${left}/cmdline`, 'utf8').catch(() => '')).toBe('')
    expect(endOf(lines)).toMatchObject({ reason: 'out_of_memory', diff: { files: 2 } })
    expect(await refsOf(errand.origin)).toHaveProperty(`refs/heads/${errand.assignment.branch}`)
  })

  it('passes SIGTERM on: the command is ended, the work pushed, and the end is a cancel', async () => {
    await start(inTurn(answer(writes), answer(bash('touch begun; sleep 600'))))
    await waitFor('the command to begin', () => existsSync(`${errand.config.workspace}/begun`), 20_000)
    const since = performance.now()
    child.kill('SIGTERM')
    const { code, lines } = await ended()
    expect(performance.now() - since).toBeLessThan(15_000)
    expect(code).toBe(EXIT.reported)
    expect(endOf(lines)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user', diff: { files: 2 } })
    expect(await refsOf(errand.origin)).toHaveProperty(`refs/heads/${errand.assignment.branch}`)
  })

  it('saves the work in the time of a stop although the agent does not answer', async () => {
    await start(inTurn(answer(writes), answer(bash('touch begun; kill -STOP $PPID'))))
    await waitFor('the command to begin', () => existsSync(`${errand.config.workspace}/begun`), 20_000)
    const since = performance.now()
    child.kill('SIGTERM')
    const { code, lines } = await ended()
    expect(performance.now() - since).toBeLessThan(15_000)
    expect([code, endOf(lines)]).toMatchObject([EXIT.reported, { outcome: 'cancelled', diff: { files: 2 } }])
    expect(await refsOf(errand.origin)).toHaveProperty(`refs/heads/${errand.assignment.branch}`)
  })

  it('exits with a code of its own when it cannot even reach the door', async () => {
    await start(() => answer(text('never')), { ERRAND_DOOR_SOCKET: '/nonexistent/door.sock' })
    const { code, lines } = await ended()
    expect(code).toBe(EXIT.crashed)
    expect(lines.map(({ type }) => type)).toEqual(['sandbox.ready'])
  }, 60_000)
})
