import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execa } from 'execa'
import { SAVE } from '../../../contract/wire/deadlines.ts'
import { type AgentLine, EXIT } from '../../../contract/wire/sandbox.ts'
import { endProcess } from '../../support/checks/kill.ts'
import { waitFor } from '../../support/checks/wait.ts'
import { refsOf } from '../../support/outside/git-server.ts'
import type { Policy } from '../../support/outside/model-server.ts'
import { freePort, temporaryFolder } from '../../support/systems/temporary.ts'
import { type Errand, endOf, eventsOf, readLines, startErrand } from '../errand.ts'
import { answer, bash, call, inTurn, mends, text } from '../policies.ts'

type Run = {
  errand: Errand
  supervisor: ChildProcess
  /** The exit code, and all that was emitted. */
  ended: Promise<{ code: number | null; lines: AgentLine[] }>
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let program: string
const runs: Run[] = []
/** Begun before all others, which run while it waits: it asks twice, each time for as long as a door may be silent. */
let doorless: Run

beforeAll(async () => {
  folder = await temporaryFolder()
  program = await bundle(folder.path)
  doorless = await start(() => answer(text('never')), { ERRAND_DOOR_SOCKET: '/nonexistent/door.sock' })
}, 60_000)
afterAll(async () => {
  for (const { supervisor, errand } of runs) {
    await endProcess(supervisor, 'SIGKILL')
    await errand.stop()
  }
  await folder.remove()
})

/** @returns one file, made as the image makes it */
async function bundle(into: string): Promise<string> {
  const file = join(into, 'agent.mjs')
  const require = "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"
  const how = ['--bundle', '--platform=node', '--format=esm', `--banner:js=${require}`, `--outfile=${file}`]
  await execa('node_modules/.bin/esbuild', [join('worker-image', 'main.ts'), ...how])
  return file
}

/** The very program of the image, on this host. */
async function start(policy: Policy, environment: Record<string, string> = {}): Promise<Run> {
  const errand = await startErrand({ policy })
  const { config } = errand
  const supervisor = spawn(process.execPath, [program], {
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
  let output = ''
  supervisor.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
  const ended = once(supervisor, 'close').then(([code]) => ({ code: code as number | null, lines: readLines(output) }))
  const run = { errand, supervisor, ended }
  runs.push(run)
  return run
}

/** Where a command leaves the ids of processes: beside the work, so that they are no part of it. */
function besideWork({ errand }: Run, name: string): string {
  return join(errand.config.workspace, '..', name)
}

async function processNamedIn(run: Run, name: string): Promise<number> {
  return Number(await readFile(besideWork(run, name), 'utf8'))
}

/** @returns the command line; empty for a process that is gone, also for one that is over and that nobody has asked about yet */
function commandLine(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
}

async function isStopped(pid: number): Promise<boolean> {
  return / T /.test((await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)/, ''))
}

async function expectPushed({ errand }: Run): Promise<void> {
  expect(await refsOf(errand.origin)).toHaveProperty(`refs/heads/${errand.assignment.branch}`)
}

const writes = call('write', { file_path: 'new.txt', content: 'whole\n' })

describe('the supervisor', () => {
  it('is ready first, and ends with a code that says that the end was emitted', async () => {
    const { code, lines } = await (await start(mends)).ended
    expect(code).toBe(EXIT.reported)
    expect(lines[0]).toEqual({ type: 'sandbox.ready', data: { node: process.version } })
    expect(eventsOf(lines, 'sandbox.ready')).toHaveLength(1)
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done' })
  })

  it.each([
    ['KILL', 'out_of_memory'],
    ['ABRT', 'sandbox_crashed'],
  ])('saves the work and emits the end when the agent dies of SIG%s', async (signal, reason) => {
    // A command's parent is the agent.
    const run = await start(inTurn(answer(writes), answer(bash(`kill -${signal} $PPID`))))
    const { code, lines } = await run.ended
    expect(code).toBe(EXIT.reported)
    const message = `The agent's process was killed by SIG${signal}.`
    expect(endOf(lines)).toMatchObject({
      outcome: 'failed',
      reason,
      message: expect.stringContaining(message),
      diff: { files: 1 },
    })
    await expectPushed(run)
  })

  it('ends what the agent left running before it pushes', async () => {
    const locks = `(while :; do touch .git/index.lock; echo again >> busy.txt; sleep 0.01; done) & echo $! > ../left`
    // What it left running must run when the agent dies; otherwise the agent lives on, and the end is another one.
    const dies = 'kill -0 $(cat ../left) && kill -KILL $PPID'
    const run = await start(inTurn(answer(writes), answer(bash(locks)), answer(bash(dies)), answer(text('It was over.'))))
    const { lines } = await run.ended
    expect(await commandLine(await processNamedIn(run, 'left'))).toBe('')
    expect(endOf(lines)).toMatchObject({ reason: 'out_of_memory', diff: { files: 2 } })
    await expectPushed(run)
  })

  it('passes SIGTERM on: the command is ended, the work pushed, and the end is a cancel', async () => {
    const run = await start(inTurn(answer(writes), answer(bash('echo $$ > ../command; touch begun; sleep 600'))))
    await waitFor('the command to begin', () => existsSync(join(run.errand.config.workspace, 'begun')), 20_000)
    const command = await processNamedIn(run, 'command')
    expect(await commandLine(command)).not.toBe('')
    const since = performance.now()
    run.supervisor.kill('SIGTERM')
    const { code, lines } = await run.ended
    // Later, the agent would have been killed.
    expect(performance.now() - since).toBeLessThan(SAVE.agentMs)
    expect(await commandLine(command)).toBe('')
    expect(code).toBe(EXIT.reported)
    expect(endOf(lines)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user', diff: { files: 2 } })
    await expectPushed(run)
  })

  it('saves the work in the time of a stop although the agent does not answer', async () => {
    const run = await start(inTurn(answer(writes), answer(bash('echo $PPID > ../agent; touch begun; kill -STOP $PPID'))))
    await waitFor('the agent to stand still', async () => isStopped(await processNamedIn(run, 'agent')), 20_000)
    const since = performance.now()
    run.supervisor.kill('SIGTERM')
    const { code, lines } = await run.ended
    expect(performance.now() - since).toBeGreaterThanOrEqual(SAVE.agentMs)
    expect(performance.now() - since).toBeLessThan(15_000)
    expect(await commandLine(await processNamedIn(run, 'agent'))).toBe('')
    expect([code, endOf(lines)]).toMatchObject([EXIT.reported, { outcome: 'cancelled', diff: { files: 2 } }])
    await expectPushed(run)
  })

  it('exits with a code of its own when it cannot even reach the door', async () => {
    const { code, lines } = await doorless.ended
    expect(code).toBe(EXIT.crashed)
    expect(lines.map(({ type }) => type)).toEqual(['sandbox.ready'])
  }, 60_000)
})
