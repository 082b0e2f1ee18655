import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, readFile } from 'node:fs/promises'
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
  sandbox: ChildProcess
  hands: ChildProcess
  /** The exit code, and all that was emitted. */
  ended: Promise<{ code: number | null; lines: AgentLine[] }>
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const runs: Run[] = []
/** Begun before all others, which run while it waits: it asks twice, each time for as long as a door may be silent. */
let doorless: Run

beforeAll(async () => {
  folder = await temporaryFolder()
  await makePrograms(folder.path)
  doorless = await start(() => answer(text('never')), { ERRAND_DOOR_SOCKET: '/nonexistent/door.sock' })
})
afterAll(async () => {
  for (const { sandbox, hands, errand } of runs) {
    await endProcess(sandbox, 'SIGKILL')
    await endProcess(hands, 'SIGKILL')
    await errand.stop()
  }
  await folder.remove()
})

/** Makes the programs as the image has them. */
async function makePrograms(into: string): Promise<void> {
  const require = "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);"
  const how = ['--bundle', '--splitting', '--platform=node', '--format=esm', `--banner:js=${require}`]
  const where = [`--outdir=${into}`, '--out-extension:.js=.mjs']
  await execa('node_modules/.bin/esbuild', [`agent=${join('worker-image', 'main.ts')}`, ...how, ...where])
  await copyFile(join('worker-image', 'supervisor', 'sandbox.sh'), join(into, 'sandbox.sh'))
}

/** The very programs of the image, on this host, where both users are one. */
async function start(policy: Policy, environment: Record<string, string> = {}): Promise<Run> {
  const errand = await startErrand({ policy })
  const { config, handsConfig } = errand
  const places = { ERRAND_HANDS_SOCKET: config.handsSocket, ERRAND_WORKSPACE: config.workspace }
  const port = String(await freePort())
  const hands = spawn(process.execPath, [join(folder.path, 'agent.mjs'), 'hands'], {
    stdio: 'ignore',
    env: {
      ...handsConfig.inherited,
      ...places,
      ERRAND_HANDS_DOOR_SOCKET: handsConfig.doorSocket,
      ERRAND_DOOR_PORT: port,
      ERRAND_SCRATCH: handsConfig.scratch,
    },
  })
  const sandbox = spawn('/bin/sh', [join(folder.path, 'sandbox.sh')], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...handsConfig.inherited,
      ...places,
      ERRAND_TASK_TOKEN: config.token,
      ERRAND_DOOR_SOCKET: config.doorSocket,
      ERRAND_REMOTE: `http://127.0.0.1:${port}/git/repository.git`,
      ERRAND_HOME: config.home,
      ...environment,
    },
  })
  let output = ''
  sandbox.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
  const ended = once(sandbox, 'close').then(([code]) => ({ code: code as number | null, lines: readLines(output) }))
  const run = { errand, sandbox, hands, ended }
  runs.push(run)
  return run
}

/** The agent is the first process that the sandbox's shell starts. */
async function agentOf({ sandbox: { pid } }: Run): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Number(children.split(' ')[0])
}

/** Signals the agent while a command runs that has made the file `begun`. */
async function signalAgent(run: Run, signal: NodeJS.Signals): Promise<void> {
  await waitFor('the command to begin', () => existsSync(join(run.errand.config.workspace, 'begun')), 20_000)
  process.kill(await agentOf(run), signal)
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

describe('the first program of a sandbox', () => {
  it('is ready first, and ends with a code that says that the end was emitted', async () => {
    const { code, lines } = await (await start(mends)).ended
    expect(code).toBe(EXIT.reported)
    expect(lines[0]).toEqual({ type: 'sandbox.ready', data: { node: process.version } })
    expect(eventsOf(lines, 'sandbox.ready')).toHaveLength(1)
    expect(endOf(lines)).toMatchObject({ outcome: 'completed', reason: 'done' })
  })

  it.each([
    ['SIGKILL', 'out_of_memory', 9],
    ['SIGABRT', 'sandbox_crashed', 6],
  ] as const)('saves the work and emits the end when the agent dies of %s', async (signal, reason, number) => {
    const run = await start(inTurn(answer(writes), answer(bash('touch begun; sleep 600'))))
    await signalAgent(run, signal)
    const { code, lines } = await run.ended
    expect(code).toBe(EXIT.reported)
    const message = `The agent's process was killed by signal ${number}.`
    expect(endOf(lines)).toMatchObject({
      outcome: 'failed',
      reason,
      message: expect.stringContaining(message),
      diff: { files: 2 },
    })
    await expectPushed(run)
  })

  it('ends what the agent left running before it pushes', async () => {
    const locks = `(while :; do touch .git/index.lock; echo again >> busy.txt; sleep 0.01; done) & echo $! > ../left; until [ -s busy.txt ]; do sleep 0.01; done; touch begun; wait`
    const run = await start(inTurn(answer(writes), answer(bash(locks)), answer(text('It was over.'))))
    await signalAgent(run, 'SIGKILL')
    const { lines } = await run.ended
    expect(await commandLine(await processNamedIn(run, 'left'))).toBe('')
    expect(endOf(lines)).toMatchObject({ reason: 'out_of_memory', diff: { files: 3 } })
    await expectPushed(run)
  })

  it('passes SIGTERM on: the command is ended, the work pushed, and the end is a cancel', async () => {
    const run = await start(inTurn(answer(writes), answer(bash('echo $$ > ../command; touch begun; sleep 600'))))
    await waitFor('the command to begin', () => existsSync(join(run.errand.config.workspace, 'begun')), 20_000)
    const command = await processNamedIn(run, 'command')
    expect(await commandLine(command)).not.toBe('')
    const since = performance.now()
    run.sandbox.kill('SIGTERM')
    const { code, lines } = await run.ended
    // Later, the agent would have been killed.
    expect(performance.now() - since).toBeLessThan(SAVE.agentMs)
    expect(await commandLine(command)).toBe('')
    expect(code).toBe(EXIT.reported)
    expect(endOf(lines)).toMatchObject({ outcome: 'cancelled', reason: 'cancelled_by_user', diff: { files: 2 } })
    await expectPushed(run)
  })

  it('saves the work in the time of a stop although the agent does not answer', async () => {
    const run = await start(inTurn(answer(writes), answer(bash('touch begun; sleep 600'))))
    await signalAgent(run, 'SIGSTOP')
    const agent = await agentOf(run)
    await waitFor('the agent to stand still', () => isStopped(agent), 20_000)
    const since = performance.now()
    run.sandbox.kill('SIGTERM')
    const { code, lines } = await run.ended
    expect(performance.now() - since).toBeGreaterThanOrEqual(SAVE.agentMs)
    expect(performance.now() - since).toBeLessThan(15_000)
    expect(await commandLine(agent)).toBe('')
    expect([code, endOf(lines)]).toMatchObject([EXIT.reported, { outcome: 'cancelled', diff: { files: 2 } }])
    await expectPushed(run)
  })

  it('exits with a code of its own when it cannot even reach the door', async () => {
    const { code, lines } = await doorless.ended
    expect(code).toBe(EXIT.crashed)
    expect(lines.map(({ type }) => type)).toEqual(['sandbox.ready'])
  })
})
